import { bodies, body, type RangeVar, type ScriptStatement } from './syntax.js'
import { alterations, isOn, nameOf, option } from './tree.js'

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
  if (kind === 'IndexStmt' && node.concurrent) {
    return { kind: 'create index', table: text(node.relation), index: node.idxname ?? null }
  }
  if (kind === 'DropStmt' && node.concurrent) {
    return { kind: 'drop index', index: (node.objects ?? []).map(nameOf).map(text).join() }
  }
  if (kind === 'ReindexStmt' && isOn(node.params, 'concurrently')) {
    return { kind: 'reindex', relation: node.relation ? text(node.relation) : null }
  }
  if (kind === 'VacuumStmt' && node.is_vacuumcmd) {
    const relations = bodies(node.rels, 'VacuumRelation').map(({ relation }) => text(relation))
    return { kind: 'vacuum', relations, isFull: isOn(node.options, 'full') }
  }
  const [alteration] = alterations(statement)
  const partition = body(alteration?.command.def, 'PartitionCmd')
  return partition?.concurrent
    ? {
        kind: 'detach partition',
        parent: text(alteration?.table),
        partition: text(partition.name),
      }
    : null
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
  return changes.length > 0 && changes.every(({ command }) => command.subtype === VALIDATES)
}

const VALIDATES = 'AT_ValidateConstraint'

/** Refused inside of transactions as well, and about the server and not about the schema of this database. */
export function isOfServer({ kind, node }: ScriptStatement): boolean {
  switch (kind) {
    case 'ReindexStmt':
      return /_(SCHEMA|SYSTEM|DATABASE)$/.test(node.kind ?? '')
    case 'ClusterStmt':
      return !node.relation
    case 'AlterDatabaseStmt':
      return option(node.options, 'tablespace') !== undefined
    case 'CreateSubscriptionStmt':
      // The slot is what a rollback could not take back.
      return ['connect', 'create_slot'].every(
        (name) => !option(node.options, name) || isOn(node.options, name),
      )
    case 'CreatedbStmt':
    case 'DropdbStmt':
    case 'AlterSystemStmt':
    case 'CreateTableSpaceStmt':
    case 'DropTableSpaceStmt':
    case 'DropSubscriptionStmt':
      return true
    default:
      return false
  }
}

/** A relation as PostgreSQL reads it back. */
const text = (relation: RangeVar = {}): string =>
  [relation.schemaname, relation.relname]
    .flatMap((part) => (part ? [`"${part.replaceAll('"', '""')}"`] : []))
    .join('.')
