import { body, type RangeVar, type ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { transactionless } from './lint/transactionless.js'
import { alterations, nameOf } from './lint/tree.js'

/**
 * A statement that PostgreSQL refuses inside a transaction block: it and the record of it cannot be
 * committed together, so after a crash the catalog must tell whether it was done.
 */
export type Standalone =
  | { readonly kind: 'create index'; readonly table: string; readonly index: string | null }
  | { readonly kind: 'drop index'; readonly index: string }
  | { readonly kind: 'reindex'; readonly relation: string | null }
  | { readonly kind: 'detach partition'; readonly parent: string; readonly partition: string }
  /** May simply be run again. */
  | { readonly kind: 'repeatable' }
  /** Nobody but its author can tell whether it was done. */
  | { readonly kind: 'unknowable' }

/**
 * What a statement is outside of transactions; null when it can run in one. Code that commits by
 * itself (`DO`, `CALL`) is only run outside of one where the file says `-- transaction: none`.
 */
export function standaloneOf(
  statement: ScriptStatement,
  noTransaction: boolean,
): Standalone | null {
  const { kind } = statement
  const mayCommit = noTransaction && (kind === 'DoStmt' || kind === 'CallStmt')
  if (mayCommit) return { kind: 'unknowable' }
  return transactionless(statement) === null ? null : recoveryOf(statement)
}

function recoveryOf(statement: ScriptStatement): Standalone {
  const { kind, node } = statement
  switch (kind) {
    case 'IndexStmt':
      return { kind: 'create index', table: text(node.relation), index: node.idxname ?? null }
    case 'DropStmt':
      return { kind: 'drop index', index: (node.objects ?? []).map(nameOf).map(text).join() }
    case 'ReindexStmt':
      return { kind: 'reindex', relation: node.relation ? text(node.relation) : null }
    case 'AlterTableStmt':
      return detached(statement)
    case 'VacuumStmt':
    case 'ClusterStmt':
    case 'AlterSystemStmt':
      return { kind: 'repeatable' }
    default:
      return { kind: 'unknowable' }
  }
}

function detached(statement: ScriptStatement): Standalone {
  const [alteration] = alterations(statement)
  const partition = body(alteration?.command.def, 'PartitionCmd')?.name
  return { kind: 'detach partition', parent: text(alteration?.table), partition: text(partition) }
}

/** A relation as PostgreSQL reads it back. */
const text = (relation: RangeVar = {}): string =>
  [relation.schemaname, relation.relname]
    .flatMap((part) => (part ? [`"${part.replaceAll('"', '""')}"`] : []))
    .join('.')
