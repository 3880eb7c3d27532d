import { parseScript } from '../../../platform/sql-parser/parse-script.js'
import type { Body, Kind, ScriptStatement } from '../../../platform/sql-parser/syntax.js'

/** The statements of a dump, in the phases of a restore. */
export interface Phases {
  /** Whatever the rows need. */
  readonly before: readonly string[]
  /** Keys by which the log finds rows. */
  readonly keys: readonly string[]
  /** Indexes, constraints between tables, triggers, views on them. */
  readonly after: readonly string[]
  /** Who owns what, and who may do what: a role may be missing here. */
  readonly rights: readonly string[]
  /** What only a superuser may make, and where others may go on without. */
  readonly extensions: readonly string[]
}

const RIGHTS: readonly Kind[] = [
  'AlterOwnerStmt',
  'GrantStmt',
  'AlterDefaultPrivilegesStmt',
  'GrantRoleStmt',
]

/** Divides the two sections of a dump by when each statement is to run. */
export async function phasesOf(pre: string, post: string, signal: AbortSignal): Promise<Phases> {
  const before: string[] = []
  const keys: string[] = []
  const after: string[] = []
  const rights: string[] = []
  const extensions: string[] = []
  const [first, second] = await Promise.all([parseScript(pre, signal), parseScript(post, signal)])
  for (const statement of first) {
    if (isOfExtension(statement)) extensions.push(statement.text)
    else if (isRight(statement)) rights.push(statement.text)
    else if (!isSetting(statement)) before.push(statement.text)
  }
  const indexes = new Set<string>()
  for (const statement of second) {
    if (isSetting(statement)) continue
    if (isRight(statement)) rights.push(statement.text)
    else if (isKey(statement, indexes)) keys.push(statement.text)
    else after.push(statement.text)
  }
  return { before, keys, after, rights, extensions }
}

/** What is set for the session is set by who runs the statements. */
const isSetting = ({ kind, text }: ScriptStatement): boolean =>
  (kind === 'VariableSetStmt' && !/^set default_/i.test(text)) ||
  (kind === 'SelectStmt' && /^select pg_catalog\.set_config\('search_path'/i.test(text))

const isOfExtension = ({ kind, node }: ScriptStatement): boolean =>
  kind === 'CreateExtensionStmt' ||
  (kind === 'CommentStmt' && (node as Body<'CommentStmt'>).objtype === 'OBJECT_EXTENSION')

/** Tables and the like change their owner by ALTER TABLE, everything else by a statement of its own. */
function isRight({ kind, node }: ScriptStatement): boolean {
  if (RIGHTS.includes(kind)) return true
  return kind === 'AlterTableStmt' && commandsOf(node).some((one) => one === 'AT_ChangeOwner')
}

/** A unique index by which partitions are joined is one as well, once both of its ends are there. */
function isKey({ kind, node }: ScriptStatement, indexes: Set<string>): boolean {
  if (kind === 'IndexStmt') {
    const index = node as Body<'IndexStmt'>
    if (!index.unique) return false
    indexes.add(keyOf(index.relation?.schemaname, index.idxname))
    return true
  }
  if (kind !== 'AlterTableStmt') return false
  const { relation, cmds = [] } = node as Body<'AlterTableStmt'>
  for (const { AlterTableCmd: command } of cmds as readonly {
    AlterTableCmd?: Body<'AlterTableCmd'>
  }[]) {
    const constraint = (command?.def as { Constraint?: Body<'Constraint'> } | undefined)?.Constraint
    if (constraint?.contype === 'CONSTR_PRIMARY' || constraint?.contype === 'CONSTR_UNIQUE') {
      indexes.add(keyOf(relation?.schemaname, constraint.conname))
      return true
    }
    if (command?.subtype === 'AT_ReplicaIdentity') return true
    if (command?.subtype === 'AT_AttachPartition') {
      return indexes.has(keyOf(relation?.schemaname, relation?.relname))
    }
  }
  return false
}

const keyOf = (schema = '', name = ''): string => `${schema}.${name}`

const commandsOf = (node: unknown): (string | undefined)[] =>
  ((node as Body<'AlterTableStmt'>).cmds ?? []).map(
    (one) => (one as { AlterTableCmd?: Body<'AlterTableCmd'> }).AlterTableCmd?.subtype,
  )
