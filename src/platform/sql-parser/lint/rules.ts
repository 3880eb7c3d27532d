import { locksOf } from '../locks.js'
import {
  bodies,
  body,
  type Constraint,
  type Node,
  nodesOf,
  type RangeVar,
  type ScriptStatement,
  untag,
} from '../syntax.js'
import {
  addedColumns,
  addedConstraints,
  alterations,
  type ConstraintType,
  dropped,
  has,
  isOn,
  isSerial,
  keyOf,
  type NewColumn,
  partsOf,
  quoted,
  typeOf,
} from '../tree.js'
import type { Hit, ScriptState } from './script-state.js'

/** One rule of the linter. */
export interface Rule {
  /** As other linters call it, where they have it. */
  readonly name: string
  /** `error` is refused always, `block` needs a confirmation or a reason in the file. */
  readonly severity: 'error' | 'block' | 'warn'
  /** Where it does no harm: on tables the script made, or on small ones too. */
  readonly harmlessOn?: 'new tables' | 'small tables'
  /** What is wrong, after the subject and a colon. */
  readonly what: string
  /** The safe way to the same end; null when there is none. */
  readonly safeWay: string | null
  /** The page that explains it, where that is not squawk's of the same name. */
  readonly docs?: string | null
  find(statement: ScriptStatement, script: ScriptState): readonly Hit[]
}

/** A page of PostgreSQL's manual. */
const manual = (page: string): string => `https://www.postgresql.org/docs/18/${page}.html`

/** What holds others up on big tables only. */
const LOCKS = { severity: 'block', harmlessOn: 'small tables' } as const
const WARNS = { severity: 'warn', harmlessOn: 'small tables' } as const
const ALONE = 'in a file with "-- transaction: none" at the top.'

const about = (subject: string): Hit[] => [{ subject, on: [] }]

/** Every rule in force. */
export const RULES: readonly Rule[] = [
  {
    ...LOCKS,
    name: 'require-concurrent-index-creation',
    what: 'writes wait until the index is built.',
    safeWay: `CREATE INDEX CONCURRENTLY, ${ALONE}`,
    find: ({ kind, node }, script) =>
      kind === 'IndexStmt' && !node.concurrent ? [script.hit(node.relation)] : [],
  },
  {
    ...LOCKS,
    name: 'require-concurrent-index-deletion',
    what: 'reads and writes of its table wait for it, and it for the queries that run.',
    safeWay: `DROP INDEX CONCURRENTLY, ${ALONE}`,
    find: (statement, script) =>
      statement.kind === 'DropStmt' && !statement.node.concurrent
        ? dropped(statement, 'OBJECT_INDEX').map((index) => script.hit(index))
        : [],
  },
  {
    ...LOCKS,
    name: 'require-concurrent-reindex',
    what: 'writes wait until the indexes are rebuilt, and so do reads that would use them.',
    safeWay: `REINDEX (CONCURRENTLY), ${ALONE}`,
    find: ({ kind, node }, script) => {
      if (kind !== 'ReindexStmt' || isOn(node.params, 'concurrently')) return []
      return node.relation ? [script.hit(node.relation)] : about('REINDEX')
    },
  },
  {
    ...LOCKS,
    name: 'constraint-missing-not-valid',
    what: 'reads and writes wait until every row was checked.',
    safeWay: 'ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in a later migration.',
    find: (statement, script) => [
      ...unvalidated(statement, script, 'CONSTR_CHECK'),
      ...newColumns(statement, script, ({ constraints }) => has(constraints, 'CONSTR_CHECK')),
    ],
  },
  {
    // Where a new column has nothing in it PostgreSQL looks up nothing (transformAlterTableStmt).
    ...LOCKS,
    name: 'adding-foreign-key-constraint',
    what: 'writes of both tables wait until every row was looked up.',
    safeWay: 'ADD FOREIGN KEY ... NOT VALID, and VALIDATE CONSTRAINT in a later migration.',
    find: (statement, script) => [
      ...unvalidated(statement, script, 'CONSTR_FOREIGN'),
      ...addedColumns(statement)
        .filter(({ constraints }) => has(constraints, 'CONSTR_DEFAULT'))
        .flatMap(({ table, constraints }) =>
          constraints.flatMap(({ pktable }) => (pktable ? between(script, table, pktable) : [])),
        ),
    ],
  },
  {
    // A validated CHECK spares the scan: https://www.postgresql.org/docs/18/sql-altertable.html
    ...LOCKS,
    name: 'adding-not-nullable-field',
    what: 'reads and writes wait until every row was checked for nulls.',
    safeWay:
      'ADD CONSTRAINT ... CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a later migration, and SET NOT NULL after that: it then reads no row.',
    find: (statement, script) => [
      ...alterations(statement, 'AT_SetNotNull')
        .filter(({ table, command }) => !script.isKnownNotNull(table, command.name))
        .map(script.commandHit),
      ...unvalidated(statement, script, 'CONSTR_NOTNULL'),
    ],
  },
  {
    // NOT VALID spares nothing when the lock of the same transaction is held during the scan.
    ...LOCKS,
    name: 'validate-in-same-transaction',
    what: 'its rows are checked while the transaction keeps writers, or everybody, out of it.',
    safeWay: 'Validate in a later migration, or write "-- transaction: none" at the top.',
    docs: manual('sql-altertable'),
    find: (statement, script) =>
      script.context.isTransactional
        ? alterations(statement, 'AT_ValidateConstraint')
            .map(script.commandHit)
            .filter(({ on }) => on.some((table) => script.held.has(keyOf(table))))
        : [],
  },
  {
    ...LOCKS,
    name: 'disallowed-unique-constraint',
    what: 'reads and writes wait until the index of the constraint is built.',
    safeWay:
      'CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT ... USING INDEX.',
    find: (statement, script) => [
      ...addedConstraints(statement)
        .filter(({ constraint }) => has([constraint], 'CONSTR_UNIQUE', 'CONSTR_PRIMARY'))
        .filter(({ constraint }) => !constraint.indexname)
        .map(({ table, constraint }) => script.hit(table, constraint.conname)),
      ...newColumns(statement, script, ({ constraints }) => has(constraints, 'CONSTR_UNIQUE')),
    ],
  },
  {
    ...LOCKS,
    name: 'adding-exclusion-constraint',
    what: 'reads and writes wait until its index is built; it cannot be built CONCURRENTLY.',
    safeWay: 'Make a new table with the constraint, copy the rows in batches, and swap the two.',
    docs: manual('sql-createtable'),
    find: (statement, script) => unvalidated(statement, script, 'CONSTR_EXCLUSION'),
  },
  {
    // Fails on the first existing row, whatever the size of the table.
    name: 'adding-required-field',
    severity: 'block',
    harmlessOn: 'new tables',
    what: 'the column must not be null and has no default, so that it cannot be added to existing rows.',
    safeWay: 'Add it without NOT NULL or with a default; fill it; then set NOT NULL.',
    find: (statement, script) =>
      newColumns(
        statement,
        script,
        ({ column, constraints }) =>
          has(constraints, 'CONSTR_NOTNULL') &&
          !has(constraints, 'CONSTR_DEFAULT', 'CONSTR_IDENTITY', 'CONSTR_GENERATED') &&
          !isSerial(column),
      ),
  },
  {
    ...LOCKS,
    name: 'adding-field-with-default',
    what: 'the default is counted for each row, so that reads and writes wait until all are rewritten.',
    safeWay:
      'Add the column without a default, set the default after it, and fill the old rows in batches.',
    find: (statement, script) =>
      newColumns(statement, script, ({ constraints }) => constraints.some(isVolatileDefault)),
  },
  {
    ...LOCKS,
    name: 'adding-stored-column',
    what: 'the value is counted for each row, so that reads and writes wait until all are rewritten.',
    safeWay: 'Make it VIRTUAL, or a plain column filled in batches.',
    docs: manual('ddl-generated-columns'),
    find: (statement, script) =>
      newColumns(statement, script, ({ constraints }) =>
        constraints.some(({ generated_kind }) => generated_kind === 's'),
      ),
  },
  {
    ...LOCKS,
    name: 'adding-serial-primary-key-field',
    what: 'every row is numbered or indexed, so that reads and writes wait until all are.',
    safeWay:
      'Add a plain column, fill it in batches, index it CONCURRENTLY, and add the key USING INDEX.',
    find: (statement, script) =>
      newColumns(
        statement,
        script,
        ({ column, constraints }) =>
          isSerial(column) || has(constraints, 'CONSTR_IDENTITY', 'CONSTR_PRIMARY'),
      ),
  },
  {
    ...LOCKS,
    name: 'changing-column-type',
    what: 'reads and writes wait until every row is rewritten, and clients meet another type.',
    safeWay: 'Add a column of the new type, write both, fill the old rows in batches, then switch.',
    find: (statement, script) =>
      alterations(statement, 'AT_AlterColumnType')
        .filter(({ command }) => !isWidening(command.def))
        .map(script.commandHit),
  },
  {
    ...WARNS,
    name: 'widening-column-type',
    what: 'without a rewrite if the column is a shorter text or numeric; from any other type it rewrites every row.',
    safeWay: 'Look at the type the column has now.',
    docs: manual('sql-altertable'),
    find: (statement, script) =>
      alterations(statement, 'AT_AlterColumnType')
        .filter(({ command }) => isWidening(command.def))
        .map(script.commandHit),
  },
  {
    ...LOCKS,
    name: 'vacuum-full',
    what: 'reads and writes wait until the table is written anew.',
    safeWay: 'VACUUM without FULL; for a bloated table, pg_repack or pg_squeeze.',
    docs: manual('sql-vacuum'),
    find: ({ kind, node }, script) => {
      if (kind !== 'VacuumStmt' || !isOn(node.options, 'full')) return []
      const tables = bodies(node.rels, 'VacuumRelation').map(({ relation }) => script.hit(relation))
      return tables.length > 0 ? tables : about('every table')
    },
  },
  {
    ...LOCKS,
    name: 'cluster',
    what: 'reads and writes wait until the table is written anew in the order of the index.',
    safeWay: 'pg_repack with an order, outside of migrations.',
    docs: manual('sql-cluster'),
    find: ({ kind, node }, script) => {
      if (kind !== 'ClusterStmt') return []
      return node.relation ? [script.hit(node.relation)] : about('every table')
    },
  },
  {
    // Modes below SHARE (5, of 8 in lockdefs.h) keep nobody from reading or writing.
    name: 'lock-table',
    severity: 'block',
    harmlessOn: 'new tables',
    what: 'the lock is kept until the end of the migration.',
    safeWay: 'Leave locking to the statements, or put this into a migration of its own.',
    docs: manual('explicit-locking'),
    find: ({ kind, node }, script) =>
      kind === 'LockStmt' && (node.mode ?? 8) >= 5
        ? bodies(node.relations, 'RangeVar').map((table) => script.hit(table))
        : [],
  },
  {
    ...LOCKS,
    name: 'require-concurrent-partition-detach',
    what: 'reads and writes of the whole partitioned table wait for it.',
    safeWay: `DETACH PARTITION ... CONCURRENTLY, ${ALONE}`,
    find: (statement, script) =>
      alterations(statement, 'AT_DetachPartition')
        .filter(({ command }) => !body(command.def, 'PartitionCmd')?.concurrent)
        .map(({ table }) => script.hit(table)),
  },
  {
    ...WARNS,
    name: 'creating-partition-of',
    what: 'reads and writes of the whole partitioned table wait for a partition made with PARTITION OF.',
    safeWay: 'CREATE TABLE ... (LIKE parent), then ATTACH PARTITION.',
    docs: manual('sql-createtable'),
    find: ({ kind, node }, script) =>
      kind === 'CreateStmt' && node.partbound
        ? bodies(node.inhRelations, 'RangeVar').map((parent) => script.hit(parent))
        : [],
  },
  {
    ...LOCKS,
    name: 'rewriting-table',
    what: 'reads and writes wait until the table is written anew.',
    safeWay: 'Make a new table as it should be, copy the rows in batches, and swap the two.',
    docs: manual('sql-altertable'),
    find: (statement, script) =>
      alterations(
        statement,
        'AT_SetLogged',
        'AT_SetAccessMethod',
        'AT_SetTableSpace',
        'AT_SetExpression',
      ).map(({ table }) => script.hit(table)),
  },
  {
    ...WARNS,
    name: 'creating-trigger',
    what: 'writes wait for the lock, and every write runs the trigger from now on.',
    safeWay: 'Measure what the trigger costs a write; make it when writers are few.',
    docs: manual('sql-createtrigger'),
    find: ({ kind, node }, script) =>
      kind === 'CreateTrigStmt' ? [script.hit(node.relation)] : [],
  },
  {
    ...WARNS,
    name: 'require-concurrent-refresh',
    what: 'reads wait until the view is filled.',
    safeWay: 'REFRESH MATERIALIZED VIEW CONCURRENTLY; it needs a unique index on the view.',
    docs: manual('sql-refreshmaterializedview'),
    find: ({ kind, node }, script) =>
      kind === 'RefreshMatViewStmt' && !node.concurrent && !node.skipData
        ? [script.hit(node.relation)]
        : [],
  },
  {
    // Rows are slow and locks are not: the lock waits for the rows.
    ...WARNS,
    name: 'backfill-with-ddl',
    what: 'its rows are written while the transaction keeps everybody out of a table it altered.',
    safeWay: 'Fill rows in a migration of their own, in batches.',
    docs: manual('explicit-locking'),
    find: (statement, script) =>
      script.context.isTransactional && script.exclusive.size > 0 && writesMany(statement)
        ? locksOf(statement).map(({ relation }) => script.hit(relation))
        : [],
  },
  {
    // Two tables in one order here and in another order elsewhere are a deadlock.
    ...WARNS,
    name: 'several-exclusive-locks',
    what: 'a second table is kept from everybody until the end of the transaction.',
    safeWay: 'One table for each migration.',
    docs: manual('explicit-locking'),
    find: (statement, script) => {
      if (!script.context.isTransactional || script.exclusive.size !== 1) return []
      return locksOf(statement)
        .filter(({ mode }) => mode === 'ACCESS EXCLUSIVE')
        .map(({ relation }) => script.hit(relation))
        .filter(({ on }) => on.every((one) => !script.isNew(one)))
        .filter(({ on }) => !on.some((one) => script.exclusive.has(keyOf(one))))
    },
  },
  {
    // The runner looks after each statement and ends when one of them is another.
    name: 'session-setting',
    severity: 'error',
    what: 'the runner decides how scripts are read, and ends when that changes.',
    safeWay:
      'Write schema.name instead of a search_path, and "-- statement_timeout: 10min" at the top for more time.',
    docs: manual('sql-set'),
    find: ({ kind, node }, { context }) =>
      kind === 'VariableSetStmt' && context.pinned.has(node.name?.toLowerCase() ?? '')
        ? about(quoted(node.name ?? ''))
        : [],
  },
  {
    // The runner waits for its data on no input, so that it would wait for ever.
    name: 'copy-stdin',
    severity: 'error',
    what: 'a migration has no input or output to copy from or to.',
    safeWay: 'Write the rows as INSERT, or load them with COPY outside of migrations.',
    docs: manual('sql-copy'),
    find: ({ kind, node }) => (kind === 'CopyStmt' && !node.filename ? about('COPY') : []),
  },
  {
    name: 'missing-down-file',
    severity: 'warn',
    what: 'there is no down file, so that it cannot be rolled back.',
    safeWay: 'Write one, or "-- irreversible: why" at the top.',
    docs: null,
    find: ({ index }, { context }) => (index === 1 && !context.hasDown ? about('migration') : []),
  },
]

/** One rule, as the documentation lists it. */
export type RuleDoc = Pick<Rule, 'name' | 'severity' | 'what' | 'safeWay'>

/** Every rule of ours, worst first, then by name. */
export const ruleDocs = (): RuleDoc[] =>
  (['error', 'block', 'warn'] as const).flatMap((worst) =>
    RULES.filter(({ severity }) => severity === worst)
      .map(({ name, severity, what, safeWay }) => ({ name, severity, what, safeWay }))
      .sort((a, b) => (a.name < b.name ? -1 : 1)),
  )

/** Those of the columns that an ALTER TABLE adds. */
const newColumns = (
  statement: ScriptStatement,
  script: ScriptState,
  isMeant: (column: NewColumn) => boolean,
): Hit[] =>
  addedColumns(statement)
    .filter(isMeant)
    .map(({ table, column }) => script.hit(table, column.colname))

/** Constraints of a kind that are checked against the existing rows at once. */
const unvalidated = (
  statement: ScriptStatement,
  script: ScriptState,
  type: ConstraintType,
): Hit[] =>
  addedConstraints(statement)
    .filter(({ constraint }) => constraint.contype === type && !constraint.skip_validation)
    .map(({ table, constraint }) => between(script, table, constraint.pktable))

/** About a table and, of a foreign key, the one it refers to. */
function between(script: ScriptState, table: RangeVar, other: RangeVar | undefined): Hit {
  const { subject, on } = script.hit(table)
  return { subject, on: other ? [...on, script.resolve(other)] : on }
}

/** Functions that PostgreSQL runs once for the whole statement; any other may be volatile. */
const STABLE = new Set([
  'now',
  'statement_timestamp',
  'transaction_timestamp',
  'current_setting',
  'date_trunc',
  'jsonb_build_object',
  'jsonb_build_array',
  'to_jsonb',
  'make_interval',
  'make_date',
  'lower',
  'upper',
])

const isVolatileDefault = ({ contype, raw_expr }: Constraint): boolean =>
  contype === 'CONSTR_DEFAULT' &&
  raw_expr !== undefined &&
  [...nodesOf(untag(raw_expr))].some(
    ({ kind, node }) => kind === 'FuncCall' && !STABLE.has(partsOf(node.funcname).at(-1) ?? ''),
  )

/** To text, varchar or numeric without a limit and without USING. */
function isWidening(node: Node | undefined): boolean {
  const { typeName, raw_default } = body(node, 'ColumnDef') ?? {}
  return (
    !raw_default && !typeName?.typmods && ['text', 'varchar', 'numeric'].includes(typeOf(typeName))
  )
}

const writesMany = ({ kind, node }: ScriptStatement): boolean =>
  kind === 'UpdateStmt' ||
  kind === 'DeleteStmt' ||
  kind === 'MergeStmt' ||
  (kind === 'InsertStmt' && !body(node.selectStmt, 'SelectStmt')?.valuesLists)
