import {
  bodies,
  body,
  type RangeVar,
  type ScriptStatement,
} from '../../platform/sql-parser/syntax.js'
import { alterations, isOn, nameOf } from './lint/tree.js'
import type { Loss } from './measure/loss.js'

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
  | { readonly kind: 'vacuum'; readonly relations: readonly string[]; readonly isFull: boolean }

/** What a statement is outside of transactions; null when it can run in one. */
export function standaloneOf(statement: ScriptStatement): Standalone | null {
  const { kind, node } = statement
  switch (kind) {
    case 'IndexStmt':
      return node.concurrent
        ? { kind: 'create index', table: text(node.relation), index: node.idxname ?? null }
        : null
    case 'DropStmt':
      return node.concurrent
        ? { kind: 'drop index', index: (node.objects ?? []).map(nameOf).map(text).join() }
        : null
    case 'ReindexStmt':
      return isOn(node.params, 'concurrently')
        ? { kind: 'reindex', relation: node.relation ? text(node.relation) : null }
        : null
    case 'VacuumStmt': {
      const named = bodies(node.rels, 'VacuumRelation').map(({ relation }) => text(relation))
      const isFull = isOn(node.options, 'full')
      return node.is_vacuumcmd ? { kind: 'vacuum', relations: named, isFull } : null
    }
    case 'AlterTableStmt':
      return detached(statement)
    default:
      return null
  }
}

/**
 * Whether a statement may be in a file without a transaction. Nothing there can be measured and taken
 * back as a whole, so only statements that run nobody's code and lose no rows are.
 */
export function maySpareTransaction(statement: ScriptStatement): boolean {
  const { kind, node } = statement
  if (standaloneOf(statement) !== null || kind === 'VacuumStmt') return true
  if (kind === 'AlterEnumStmt') return Boolean(node.newVal) && !node.oldVal
  const changes = alterations(statement)
  return (
    changes.length > 0 &&
    changes.every(({ command }) => command.subtype === 'AT_ValidateConstraint')
  )
}

/** What is gone once it has run: outside of transactions nothing can be measured and taken back. */
export function standaloneLoss(standalone: Standalone | null): Loss[] {
  const named = (what: string, object: string): Loss[] => [
    { what, object, rows: null, atLeast: false },
  ]
  switch (standalone?.kind) {
    case 'drop index':
      return named('dropped', `index ${standalone.index}`)
    case 'detach partition':
      return named('detached', `${standalone.partition} from ${standalone.parent}`)
    case 'vacuum': {
      const { relations, isFull } = standalone
      const tables =
        relations.length === 0 ? ['every table'] : relations.map((name) => `table ${name}`)
      return isFull ? tables.flatMap((table) => named('written anew', table)) : []
    }
    default:
      return []
  }
}

function detached(statement: ScriptStatement): Standalone | null {
  const [alteration] = alterations(statement)
  const partition = body(alteration?.command.def, 'PartitionCmd')
  if (!partition?.concurrent) return null
  return {
    kind: 'detach partition',
    parent: text(alteration?.table),
    partition: text(partition.name),
  }
}

/** A relation as PostgreSQL reads it back. */
const text = (relation: RangeVar = {}): string =>
  [relation.schemaname, relation.relname]
    .flatMap((part) => (part ? [`"${part.replaceAll('"', '""')}"`] : []))
    .join('.')
