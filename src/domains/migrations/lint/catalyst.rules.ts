import { bodies, body, nodesOf, type ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { codeRunBy } from './code.js'
import { partsOf, type RelationName } from './relation-name.js'
import { manual, type Rule } from './rule.js'
import type { Hit, ScriptState } from './script-state.js'
import { changedRelations, changedSchemas, writtenRelations } from './targets.js'
import { nodesIn } from './tree.js'

const SCHEMA = 'catalyst'
/** What proves what happened: whoever writes here by hand makes the proof worthless. */
const LEDGER =
  /^(schema_migrations|schema_migration_log|audit_\w+|event_outbox|event_seq|events(_\w+)?|idempotency_keys)$/

const isLedger = ({ schema, name }: RelationName): boolean => schema === SCHEMA && LEDGER.test(name)

export const ledger: Rule = {
  name: 'catalyst-ledger',
  severity: 'error',
  destructive: true,
  what: 'the records of migrations, events, answers and audit are written by the product alone.',
  safeWay: 'Read them. Old rows go by the settings that say how long they are kept.',
  docs: null,
  check: (statement, script) => {
    if (script.context.isBuiltIn) return []
    const touched = [...changedRelations(statement), ...writtenRelations(statement)]
      .map((relation) => script.hit(relation))
      .filter(({ on }) => on.some(isLedger))
    return [...touched, ...ledgerInText(statement, script)]
  },
}

/** In the text of code and in the arguments of functions such as setval, names are only words. */
function ledgerInText(statement: ScriptStatement, script: ScriptState): Hit[] {
  const texts = [...codeRunBy(statement, script), ...setSequences(statement)]
  return texts.some((text) => LEDGER_WORDS.test(text) && WRITING_WORDS.test(text))
    ? [{ subject: SCHEMA, on: [] }]
    : []
}

const LEDGER_WORDS =
  /\bcatalyst"?\s*\.\s*"?(schema_migration|audit_|event_outbox|event_seq|events|idempotency_keys)/i
const WRITING_WORDS = /\b(insert|update|delete|truncate|drop|alter|merge|copy|execute|setval)\b/i

const setSequences = (statement: ScriptStatement): string[] =>
  nodesIn(statement).flatMap(({ kind, node }) => {
    if (kind !== 'FuncCall' || partsOf(node.funcname).at(-1) !== 'setval') return []
    return [...nodesOf({ kind, node })].flatMap((inner) =>
      inner.kind === 'A_Const' ? `setval ${inner.node.sval?.sval ?? ''}` : [],
    )
  })

export const schema: Rule = {
  name: 'catalyst-schema',
  severity: 'block',
  destructive: true,
  what: 'the schema catalyst belongs to the product, whose next version changes it.',
  safeWay: 'Make tables, views and triggers of your own in another schema.',
  docs: null,
  check: (statement, { context }) =>
    !context.isBuiltIn && changedSchemas(statement).includes(SCHEMA)
      ? [{ subject: SCHEMA, on: [] }]
      : [],
}

export const rows: Rule = {
  name: 'catalyst-rows',
  severity: 'block',
  what: 'rows written here have no event and no audit entry, and no rule of the product was applied.',
  safeWay: 'Use the tools of the product.',
  docs: null,
  check: (statement, script) =>
    script.context.isBuiltIn
      ? []
      : writtenRelations(statement)
          .map((relation) => script.hit(relation))
          .filter(({ on }) => on.some((name) => name.schema === SCHEMA && !isLedger(name))),
}

export const searchPath: Rule = {
  name: 'catalyst-search-path',
  severity: 'error',
  what: 'names without a schema would mean tables of the product.',
  safeWay: 'Write catalyst.name where it is meant, and leave it out of the search_path.',
  docs: manual('ddl-schemas'),
  check: (statement) => {
    const { kind, node } = statement
    if (kind === 'VariableSetStmt' && node.name === 'search_path') {
      const path = bodies(node.args, 'A_Const').map(({ sval }) => sval?.sval ?? '')
      return path.some((name) => name.includes(SCHEMA)) ? [HIT] : []
    }
    return nodesIn(statement).some(setsSearchPath) ? [HIT] : []
  },
}

const HIT: Hit = { subject: 'search_path', on: [] }

/** `set_config('search_path', …)`, or of a setting that is not written out. */
function setsSearchPath({ kind, node }: Parameters<typeof nodesOf>[0]): boolean {
  if (kind !== 'FuncCall' || partsOf(node.funcname).at(-1) !== 'set_config') return false
  const [name, value] = (node.args ?? []).map((arg) => body(arg, 'A_Const')?.sval?.sval)
  if (name === undefined || value === undefined) return true
  return name === 'search_path' && value.includes(SCHEMA)
}
