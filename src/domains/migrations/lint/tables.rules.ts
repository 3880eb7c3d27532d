import { bodies, body } from '../../../platform/sql-parser/syntax.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { alterations, isOn } from './tree.js'

export const vacuumFull: Rule = {
  name: 'vacuum-full',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until the table is written anew.',
  safeWay: 'VACUUM without FULL; for a bloated table, pg_repack or pg_squeeze.',
  docs: manual('sql-vacuum'),
  check: ({ kind, node }, script) => {
    if (kind !== 'VacuumStmt' || !isOn(node.options, 'full')) return []
    const tables = bodies(node.rels, 'VacuumRelation').map(({ relation }) => script.hit(relation))
    return tables.length > 0 ? tables : [{ subject: 'every table', on: [] }]
  },
}

export const cluster: Rule = {
  name: 'cluster',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until the table is written anew in the order of the index.',
  safeWay: 'pg_repack with an order, outside of migrations.',
  docs: manual('sql-cluster'),
  check: ({ kind, node }, script) => {
    if (kind !== 'ClusterStmt') return []
    return [node.relation ? script.hit(node.relation) : { subject: 'every table', on: [] }]
  },
}

/** Modes below SHARE keep nobody from reading or writing. */
export const lockTable: Rule = {
  name: 'lock-table',
  severity: 'block',
  harmlessOn: 'new tables',
  what: 'the lock is kept until the end of the migration.',
  safeWay: 'Leave locking to the statements, or put this into a migration of its own.',
  docs: manual('explicit-locking'),
  check: ({ kind, node }, script) =>
    kind === 'LockStmt' && (node.mode ?? ACCESS_EXCLUSIVE) >= SHARE
      ? bodies(node.relations, 'RangeVar').map((table) => script.hit(table))
      : [],
}

/** As PostgreSQL numbers its lock modes (lockdefs.h). */
const SHARE = 5
const ACCESS_EXCLUSIVE = 8

export const detachPartition: Rule = {
  name: 'require-concurrent-partition-detach',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes of the whole partitioned table wait for it.',
  safeWay: 'DETACH PARTITION ... CONCURRENTLY, in a file with "-- transaction: none" at the top.',
  docs: squawkDocs('require-concurrent-partition-detach'),
  check: (statement, script) =>
    alterations(statement, 'AT_DetachPartition')
      .filter(({ command }) => !body(command.def, 'PartitionCmd')?.concurrent)
      .map(({ table }) => script.hit(table)),
}

export const createPartition: Rule = {
  name: 'creating-partition-of',
  severity: 'warn',
  harmlessOn: 'small tables',
  what: 'reads and writes of the whole partitioned table wait for a partition made with PARTITION OF.',
  safeWay: 'CREATE TABLE ... (LIKE parent), then ATTACH PARTITION.',
  docs: manual('sql-createtable'),
  check: ({ kind, node }, script) =>
    kind === 'CreateStmt' && node.partbound
      ? bodies(node.inhRelations, 'RangeVar').map((parent) => script.hit(parent))
      : [],
}

export const rewriteTable: Rule = {
  name: 'rewriting-table',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until the table is written anew.',
  safeWay: 'Make a new table as it should be, copy the rows in batches, and swap the two.',
  docs: manual('sql-altertable'),
  check: (statement, script) =>
    alterations(
      statement,
      'AT_SetLogged',
      'AT_SetAccessMethod',
      'AT_SetTableSpace',
      'AT_SetExpression',
    ).map(({ table }) => script.hit(table)),
}

export const createTrigger: Rule = {
  name: 'creating-trigger',
  severity: 'warn',
  harmlessOn: 'small tables',
  what: 'writes wait for the lock, and every write runs the trigger from now on.',
  safeWay: 'Measure what the trigger costs a write; make it when writers are few.',
  docs: manual('sql-createtrigger'),
  check: ({ kind, node }, script) => (kind === 'CreateTrigStmt' ? [script.hit(node.relation)] : []),
}

export const refreshView: Rule = {
  name: 'require-concurrent-refresh',
  severity: 'warn',
  harmlessOn: 'small tables',
  what: 'reads wait until the view is filled.',
  safeWay: 'REFRESH MATERIALIZED VIEW CONCURRENTLY; it needs a unique index on the view.',
  docs: manual('sql-refreshmaterializedview'),
  check: ({ kind, node }, script) =>
    kind === 'RefreshMatViewStmt' && !node.concurrent && !node.skipData
      ? [script.hit(node.relation)]
      : [],
}
