import {
  bodies,
  body,
  type GrantStmt,
  type RoleSpec,
  type ScriptStatement,
} from '../../../platform/sql-parser/syntax.js'
import { partsOf, quoted } from './relation-name.js'
import { manual, type Rule } from './rule.js'
import { partOwners } from './targets.js'
import { alterations, isOn, nodesIn } from './tree.js'

export const grantAll: Rule = {
  name: 'grant-all',
  severity: 'block',
  what: 'GRANT ALL gives rights that nobody asked for, TRUNCATE and TRIGGER among them.',
  safeWay: 'Name the rights that are needed.',
  docs: manual('sql-grant'),
  check: (statement) =>
    grants(statement)
      .filter(({ privileges }) => !privileges || privileges.length === 0)
      .map((grant) => ({ subject: grantees(grant), on: [] })),
}

export const grantToPublic: Rule = {
  name: 'grant-to-public',
  severity: 'block',
  what: 'PUBLIC is every role, those of the future too.',
  safeWay: 'GRANT to the roles that need it.',
  docs: manual('sql-grant'),
  check: (statement) =>
    grants(statement)
      .filter((grant) => bodies(grant.grantees, 'RoleSpec').some(isPublic))
      .map(() => ({ subject: 'GRANT', on: [] })),
}

const grants = ({ kind, node }: ScriptStatement): GrantStmt[] => {
  if (kind === 'GrantStmt') return node.is_grant ? [node] : []
  const action = kind === 'AlterDefaultPrivilegesStmt' ? node.action : undefined
  return action?.is_grant ? [action] : []
}

const isPublic = ({ roletype }: RoleSpec): boolean => roletype === 'ROLESPEC_PUBLIC'

const grantees = ({ grantees: roles }: GrantStmt): string =>
  bodies(roles, 'RoleSpec')
    .map((role) => (isPublic(role) ? 'PUBLIC' : quoted(role.rolename ?? 'current_user')))
    .join(', ')

/** Its caller's search_path decides what the names in it mean, under its owner's rights. */
export const securityDefiner: Rule = {
  name: 'security-definer-search-path',
  severity: 'block',
  what: 'SECURITY DEFINER without a search_path of its own lets callers exchange what it runs.',
  safeWay: "Add SET search_path = '' and qualify the names in it.",
  docs: manual('sql-createfunction'),
  check: ({ kind, node }) => {
    const isFunction = kind === 'CreateFunctionStmt' || kind === 'AlterFunctionStmt'
    const options = kind === 'AlterFunctionStmt' ? node.actions : isFunction ? node.options : []
    if (!isFunction || !isOn(options, 'security')) return []
    const settings = bodies(options, 'DefElem').map(({ arg }) => body(arg, 'VariableSetStmt'))
    const name = kind === 'AlterFunctionStmt' ? node.func?.objname : node.funcname
    return settings.some((setting) => setting?.name === 'search_path')
      ? []
      : [{ subject: quoted(partsOf(name).at(-1) ?? ''), on: [] }]
  },
}

export const rowSecurity: Rule = {
  name: 'row-security-off',
  severity: 'block',
  harmlessOn: 'new tables',
  what: 'rows that a policy hid or protected are open from now on.',
  safeWay: 'Replace the policy in one migration, so that there is no time without one.',
  docs: manual('ddl-rowsecurity'),
  check: (statement, script) => [
    ...alterations(statement, 'AT_DisableRowSecurity', 'AT_NoForceRowSecurity').map(
      script.commandHit,
    ),
    ...(statement.kind === 'DropStmt' && statement.node.removeType === 'OBJECT_POLICY'
      ? partOwners(statement).map((table) => script.hit(table))
      : []),
  ],
}

/** Foreign keys are triggers too. */
export const disableTrigger: Rule = {
  name: 'disabling-trigger',
  severity: 'block',
  harmlessOn: 'new tables',
  what: 'what the triggers keep right, foreign keys among it, is not kept while they are off.',
  safeWay: 'Let them run; write in batches if they are slow.',
  docs: manual('sql-altertable'),
  check: (statement, script) => {
    const { kind, node } = statement
    if (kind === 'VariableSetStmt' && node.name === 'session_replication_role') {
      return [{ subject: 'session_replication_role', on: [] }]
    }
    return alterations(
      statement,
      'AT_DisableTrig',
      'AT_DisableTrigAll',
      'AT_DisableTrigUser',
      'AT_DisableRule',
    ).map(script.commandHit)
  },
}

export const eventTrigger: Rule = {
  name: 'event-trigger',
  severity: 'block',
  what: 'it runs at every change of the schema, by whomever.',
  safeWay: 'Allow the rule with the reason, once it was reviewed.',
  docs: manual('event-triggers'),
  check: ({ kind }) =>
    kind === 'CreateEventTrigStmt' || kind === 'AlterEventTrigStmt'
      ? [{ subject: 'event trigger', on: [] }]
      : [],
}

export const databaseSettings: Rule = {
  name: 'database-settings',
  severity: 'block',
  what: 'it holds for every later session of the database.',
  safeWay: 'SET LOCAL in the migration that needs it.',
  docs: manual('sql-alterdatabase'),
  check: ({ kind }) =>
    kind === 'AlterDatabaseSetStmt' || kind === 'AlterDatabaseStmt'
      ? [{ subject: 'ALTER DATABASE', on: [] }]
      : [],
}

export const seedSecret: Rule = {
  name: 'seed-secret',
  severity: 'warn',
  what: 'a secret seems to be in the file, and would be in every copy of it.',
  safeWay: 'Write secrets from outside, never in a migration.',
  docs: null,
  check: (statement) => {
    const { kind, node } = statement
    const columns = kind === 'InsertStmt' ? bodies(node.cols, 'ResTarget') : []
    const named = columns.some(({ name }) => SECRET_COLUMN.test(name ?? ''))
    const strings = nodesIn(statement).flatMap((inner) =>
      inner.kind === 'A_Const' ? (inner.node.sval?.sval ?? []) : [],
    )
    const isSecret = (named && strings.length > 0) || strings.some((text) => SECRET.test(text))
    return isSecret ? [{ subject: 'value', on: [] }] : []
  },
}

const SECRET_COLUMN = /^(password|passwd|secret|token|api_?key|access_?key|private_?key)$/i
/** Forms that vendors publish so that leaks can be found. */
const SECRET =
  /^(sk-|sk_live_|ghp_|gho_|github_pat_|xox[abp]-|AKIA[0-9A-Z]{16}$|-----BEGIN [A-Z ]*PRIVATE KEY)/
