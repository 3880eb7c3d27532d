import { OWN_SETTINGS } from '../../platform/postgres/settings.js'
import { type Finding, ok, problem, warning } from './finding.js'
import type { ServerFacts, SessionDefault } from './sql.js'

const CHECK = 'Defaults of the role'
/** With it, foreign keys and triggers do not work; only a superuser can override it. */
const NO_TRIGGERS = 'session_replication_role'
/** What makes the planner choose otherwise; whatever it chooses, answers are the same. */
const PLANNING = /^(enable_\w+|plan_cache_mode|geqo|jit|constraint_exclusion|\w+_cost)$/

/**
 * What sessions of this role and database begin with. Most of it is overridden on every connection of
 * the server, and only named; what is in effect and matters is not well.
 */
export function checkDefaults({ defaults, role, database }: ServerFacts): Finding {
  if (defaults.length === 0) return ok(CHECK, 'none')
  const overridden = defaults.filter(({ name }) => Object.hasOwn(OWN_SETTINGS, key(name)))
  const planning = defaults.filter(({ name }) => PLANNING.test(key(name)))
  const triggers = defaults.filter((one) => key(one.name) === NO_TRIGGERS && one.value !== 'origin')
  const told = new Set([...overridden, ...planning, ...triggers])
  const others = defaults.filter((one) => !told.has(one))
  const detail = [
    say('overridden by this server', overridden.map(written)),
    say('in effect', [...triggers, ...planning].map(written)),
    // Of others the values are nobody's business here: applications keep theirs in such settings too.
    say('also set', [...new Set(others.map(({ name }) => name))]),
  ]
    .filter((part) => part !== null)
    .join('; ')
  const reset = [...triggers, ...planning].map((one) => resetOf(one, role, database)).join(' ')
  if (triggers.length > 0) {
    return problem(CHECK, detail, `Foreign keys and triggers do not work: ${reset}`)
  }
  if (planning.length > 0) {
    return warning(CHECK, detail, `Statements may be slower than they need to be: ${reset}`)
  }
  return ok(CHECK, detail)
}

/** As PostgreSQL's own lists spell it. */
const key = (name: string): string => name.toLowerCase()

const written = ({ name, value, of }: SessionDefault): string => `${name} = ${value} (${of})`

const say = (what: string, which: readonly string[]): string | null =>
  which.length > 0 ? `${what}: ${which.join(', ')}` : null

function resetOf({ name, of }: SessionDefault, role: string, database: string): string {
  if (of === 'database') return `alter database "${database}" reset ${name};`
  const where = of === 'role in this database' ? ` in database "${database}"` : ''
  return `alter role ${of === 'all roles' ? 'all' : `"${role}"`}${where} reset ${name};`
}
