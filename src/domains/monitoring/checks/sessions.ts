import type { Concern, MeasuredCheck } from '../../../lib/check.js'
import { causeOf, lockAdvice, lockText, longestWait, waitersOf } from '../lock-trees.js'
import type { Pulse, Session } from '../pulse.sql.js'
import { inWords } from '../trend.js'
import { isPlain, judged, ratio, severityOf, type Thresholds, type View } from '../view.js'

/** Where only the own sessions of the role are seen. */
const onlyOwn = ({ role }: Pulse): string =>
  `The role sees only its own sessions: grant pg_monitor to "${role}".`

const nameOf = ({ pid, application_name }: Pick<Session, 'pid' | 'application_name'>): string =>
  `process ${pid}${isPlain(application_name) ? ` (${application_name})` : ''}`

/** What sessions do to one another, and how many there may be. */
export const sessionChecks = (view: View, limits: Thresholds): MeasuredCheck[] => [
  { name: 'blocking', measure: () => blocking(view, limits) },
  { name: 'idle_in_transaction', measure: () => idleInTransaction(view, limits) },
  { name: 'long_transaction', measure: () => longTransaction(view, limits) },
  { name: 'connections_used', measure: () => connectionsUsed(view, limits) },
  { name: 'prepared_transaction', measure: () => preparedTransaction(view, limits) },
  { name: 'xmin_horizon', measure: () => xminHorizon(view, limits) },
]

function blocking(view: View, limits: Thresholds) {
  return judged(view.locks, (trees) => {
    const value = Math.round(Math.max(0, ...trees.map(longestWait)) / 1_000)
    const threshold = limits.blocked_seconds[0]
    const concerns = trees.flatMap((tree): Concern[] => {
      const seconds = longestWait(tree) / 1_000
      const waiters = waitersOf(tree)
      const severity =
        severityOf(seconds, limits.blocked_seconds) ??
        (waiters > limits.blocked_sessions[0] && seconds >= 1
          ? severityOf(waiters - 1, limits.blocked_sessions)
          : null)
      if (!severity) return []
      const cause = causeOf(tree)
      const held = cause === tree ? waiters : waitersOf(cause)
      const doing = cause.state?.startsWith('idle')
        ? 'idle in transaction'
        : (cause.state ?? 'prepared')
      const title =
        cause === tree
          ? `${nameOf(cause)} blocks ${held} ${held === 1 ? 'session' : 'sessions'} for ${inWords(seconds)} with ${lockText(cause.lock)}; it is ${doing}.`
          : `${nameOf(cause)} waits for ${lockText(cause.lock)} behind ${nameOf(tree)} and holds up ${held} ${held === 1 ? 'session' : 'sessions'} for ${inWords(seconds)}.`
      return [
        {
          severity,
          object: cause.pid === 0 ? `prepared transaction ${cause.gid}` : `process ${cause.pid}`,
          title: capital(title),
          evidence: {
            root_pid: tree.pid,
            pid: cause.pid,
            application_name: cause.application_name,
            state: cause.state,
            transaction_seconds: seconds_(cause.transaction_age_ms),
            lock: cause.lock,
            blocked_sessions: waiters,
            longest_wait_seconds: Math.round(seconds),
            query: cause.query,
          },
          threshold,
          next_step: lockAdvice(cause),
          tool: { name: 'read_resource', arguments: { uri: 'db/locks' } },
        },
      ]
    })
    return { value, threshold, concerns }
  })
}

function idleInTransaction(view: View, limits: Thresholds) {
  return judged(view.pulse, (pulse) => {
    if (!pulse.may_see_all) return { unknown: onlyOwn(pulse) }
    const threshold = limits.idle_in_transaction_seconds[0]
    const idle = pulse.sessions.filter(({ state }) => state?.startsWith('idle in transaction'))
    const value = Math.round(Math.max(0, ...idle.map(({ state_seconds }) => state_seconds ?? 0)))
    const concerns = idle.flatMap((session): Concern[] => {
      const seconds = session.state_seconds ?? 0
      const severity = severityOf(seconds, limits.idle_in_transaction_seconds)
      if (!severity) return []
      const locks = session.holds_row_locks ? ' and holds locks of rows' : ''
      return [
        {
          severity,
          object: `process ${session.pid}`,
          title: `${capital(nameOf(session))} is idle in transaction for ${inWords(seconds)}${locks}.`,
          evidence: evidenceOf(session),
          threshold,
          next_step: `Have the application commit or roll back; if nobody does, select pg_terminate_backend(${session.pid}) rolls it back, and idle_in_transaction_session_timeout ends the next one.`,
          tool: { name: 'read_resource', arguments: { uri: 'db/connections' } },
        },
      ]
    })
    return { value, threshold, concerns }
  })
}

/** Backups read in one transaction for as long as they take; what copies logical changes does as well. */
const isMeantToLast = ({ application_name, backend_type }: Session): boolean =>
  backend_type !== 'client backend' ||
  /^(catalyst-db backup|pg_dump|pg_basebackup)/.test(application_name)

function longTransaction(view: View, limits: Thresholds) {
  return judged(view.pulse, (pulse) => {
    if (!pulse.may_see_all) return { unknown: onlyOwn(pulse) }
    const working = pulse.sessions.filter(
      (one) => !isMeantToLast(one) && !one.state?.startsWith('idle in transaction'),
    )
    const threshold = limits.long_query_seconds[0]
    const value = Math.round(Math.max(0, ...working.map((one) => one.transaction_seconds ?? 0)))
    const concerns = working.flatMap((session): Concern[] => {
      const age = session.transaction_seconds ?? 0
      const running = session.state === 'active' ? (session.query_seconds ?? 0) : 0
      const severity =
        severityOf(age, limits.long_transaction_seconds) ??
        severityOf(running, limits.long_query_seconds)
      if (!severity) return []
      const what = running >= limits.long_query_seconds[0] ? 'a statement' : 'a transaction'
      return [
        {
          severity,
          object: `process ${session.pid}`,
          title: `${capital(nameOf(session))} runs ${what} for ${inWords(Math.max(running, age))}.`,
          evidence: evidenceOf(session),
          threshold,
          next_step: `Ask its owner; select pg_cancel_backend(${session.pid}) stops the statement.`,
          tool: { name: 'read_resource', arguments: { uri: 'db/connections' } },
        },
      ]
    })
    return { value, threshold, concerns }
  })
}

function connectionsUsed(view: View, limits: Thresholds) {
  return judged(view.pulse, (pulse) => {
    const { connections, max_connections, reserved_connections, by_application } = pulse
    const most = Math.max(1, max_connections - reserved_connections)
    const used = connections / most
    const severity = severityOf(used * 100, limits.connections_used_pct)
    const threshold = limits.connections_used_pct[0] / 100
    const approaches = [{ object: null, value: connections, limit: most, what: 'connections' }]
    if (!severity) return { value: ratio(used), threshold, concerns: [], approaches }
    const [largest] = by_application
    const leak = largest
      ? `; ${largest.connections} are of ${isPlain(largest.application_name) ? largest.application_name : 'one application'}, ${largest.idle} of them idle`
      : ''
    const concern: Concern = {
      severity,
      object: null,
      title: `${connections} of ${most} connections are in use${leak}.`,
      evidence: { connections, available: most, max_connections, by_application },
      threshold,
      next_step:
        'Let that application close what it does not use, or use a smaller pool (or a pooler) before raising max_connections.',
      tool: { name: 'read_resource', arguments: { uri: 'db/connections' } },
    }
    return { value: ratio(used), threshold, concerns: [concern], approaches }
  })
}

function preparedTransaction(view: View, limits: Thresholds) {
  return judged(view.pulse, ({ prepared }) => {
    const threshold = limits.prepared_transaction_seconds[0]
    const value = Math.round(Math.max(0, ...prepared.map(({ age_seconds }) => age_seconds)))
    const concerns = prepared.flatMap((one): Concern[] => {
      const severity = severityOf(one.age_seconds, limits.prepared_transaction_seconds)
      if (!severity) return []
      return [
        {
          severity,
          object: one.gid,
          title: `A prepared transaction${isPlain(one.gid) ? ` (${one.gid})` : ''} is ${inWords(one.age_seconds)} old; it keeps its locks and what vacuum could remove.`,
          evidence: { ...one, age_seconds: Math.round(one.age_seconds) },
          threshold,
          next_step: `Ask its coordinator what became of it, then run commit prepared or rollback prepared for this gid in its database.`,
        },
      ]
    })
    return { value, threshold, concerns }
  })
}

/** Whatever still has to see old rows keeps vacuum from removing them, in every table. */
function xminHorizon(view: View, limits: Thresholds) {
  return judged(view.pulse, (pulse) => {
    const holders = [
      ...pulse.sessions
        .filter((one) => !isMeantToLast(one))
        .map((one) => ({
          object: `process ${one.pid}`,
          what: capital(nameOf(one)),
          age: one.xmin_age,
          how: `have its transaction ended (select pg_terminate_backend(${one.pid}) if nobody does)`,
          more: evidenceOf(one),
        })),
      ...pulse.slots.map(({ name, active, xmin_age }) => ({
        object: `slot ${name}`,
        what: `The replication slot ${name}`,
        age: xmin_age,
        how: `let its consumer go on, or drop the slot with select pg_drop_replication_slot('${name}')`,
        more: { active },
      })),
      ...pulse.prepared.map(({ gid, xmin_age, owner }) => ({
        object: gid,
        what: `A prepared transaction${isPlain(gid) ? ` (${gid})` : ''}`,
        age: xmin_age,
        how: 'commit or roll it back',
        more: { owner },
      })),
      ...pulse.replicas.map(({ name, xmin_age }) => ({
        object: `replica ${name}`,
        what: `A query on a replica (hot_standby_feedback)`,
        age: xmin_age,
        how: 'end it there',
        more: { replica: name },
      })),
    ].filter(({ age }) => age !== null)
    const oldest = holders.sort((a, b) => (b.age ?? 0) - (a.age ?? 0))[0]
    const threshold = limits.xmin_horizon_transactions[0]
    const value = oldest?.age ?? 0
    const severity = severityOf(value, limits.xmin_horizon_transactions)
    if (!oldest || !severity) return { value, threshold, concerns: [] }
    const concern: Concern = {
      severity,
      object: oldest.object,
      title: `${oldest.what} keeps vacuum from removing rows of the last ${value} transactions.`,
      evidence: { xmin_age: value, ...oldest.more },
      threshold,
      next_step: `To let vacuum work, ${oldest.how}.`,
    }
    return { value, threshold, concerns: [concern] }
  })
}

/** How full the pool of this server is; sessions hold their connections, so it can be full while PostgreSQL is idle. */
export function poolExhausted(
  pool: {
    readonly total: number
    readonly active: number
    readonly waiting: number
    readonly max: number
  },
  waiting: { readonly seconds: number },
  limits: Thresholds,
  server: string,
) {
  const threshold = limits.pool_waiting_seconds[0]
  const value = Math.round(waiting.seconds)
  const severity = severityOf(waiting.seconds, limits.pool_waiting_seconds)
  if (!severity) return { value, threshold, concerns: [] }
  const concern: Concern = {
    severity,
    object: `pool of ${server}`,
    title: `${pool.waiting} calls wait for one of ${pool.max} pooled connections of this server, for ${inWords(waiting.seconds)} now.`,
    evidence: { ...pool, waiting_seconds: value },
    threshold,
    next_step: 'End sessions that are not used (db/sessions/active), or raise CATALYST_POOL_MAX.',
    tool: { name: 'read_resource', arguments: { uri: 'db/sessions/active' } },
  }
  return { value, threshold, concerns: [concern] }
}

const evidenceOf = (session: Session) => ({
  pid: session.pid,
  application_name: session.application_name,
  role: session.role,
  state: session.state,
  wait_event: session.wait_event,
  transaction_seconds: round(session.transaction_seconds),
  state_seconds: round(session.state_seconds),
  holds_row_locks: session.holds_row_locks,
  xmin_age: session.xmin_age,
  query: session.query,
})

const round = (value: number | null): number | null => (value === null ? null : Math.round(value))
const seconds_ = (ms: number | null): number | null => (ms === null ? null : Math.round(ms / 1_000))
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
