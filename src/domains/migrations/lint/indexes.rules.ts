import { type Rule, squawkDocs } from './rule.js'
import { dropped, isOn } from './tree.js'

export const createIndex: Rule = {
  name: 'require-concurrent-index-creation',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'writes wait until the index is built.',
  safeWay: 'CREATE INDEX CONCURRENTLY, in a file with "-- transaction: none" at the top.',
  docs: squawkDocs('require-concurrent-index-creation'),
  check: ({ kind, node }, script) =>
    kind === 'IndexStmt' && !node.concurrent ? [script.hit(node.relation)] : [],
}

export const dropIndex: Rule = {
  name: 'require-concurrent-index-deletion',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes of its table wait for it, and it for the queries that run.',
  safeWay: 'DROP INDEX CONCURRENTLY, in a file with "-- transaction: none" at the top.',
  docs: squawkDocs('require-concurrent-index-deletion'),
  check: (statement, script) =>
    statement.kind === 'DropStmt' && !statement.node.concurrent
      ? dropped(statement, 'OBJECT_INDEX').map((index) => script.hit(index))
      : [],
}

export const reindex: Rule = {
  name: 'require-concurrent-reindex',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'writes wait until the indexes are rebuilt, and so do reads that would use them.',
  safeWay: 'REINDEX (CONCURRENTLY), in a file with "-- transaction: none" at the top.',
  docs: squawkDocs('require-concurrent-reindex'),
  check: ({ kind, node }, script) =>
    kind === 'ReindexStmt' && !isOn(node.params, 'concurrently')
      ? [node.relation ? script.hit(node.relation) : { subject: 'REINDEX', on: [] }]
      : [],
}
