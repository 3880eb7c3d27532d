import type { Caller } from '../../lib/caller.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { sqlState } from '../../platform/postgres/errors.js'
import { sql } from '../../platform/postgres/sql.js'
import type { Asked, QueryService } from '../explore/query.service.js'
import type { Analysis } from './analysis.js'
import { type IndexAdvice, plainSql, statementOf } from './index-advice.js'
import type { Plan } from './plan.js'

export interface TrialDeps {
  readonly direct: Endpoint
  readonly queries: Pick<QueryService, 'judged' | 'running'>
  /** The name of a restored database. */
  databaseOf(restoreId: string): Promise<string>
}

/** Runs that count, after one that fills the cache. */
const RUNS = 5
/** No further run begins after so long. */
const MEASURE_MS = 3_000
/** What an index must save of the time to be worth its writes. */
const WORTH = 0.9
const TRIAL = 'catalyst-db trial'
/** The table is somebody else's, or has an index of that name. */
const CANNOT: ReadonlySet<string> = new Set(['42501', '42P07'])

/**
 * Makes the proposed indexes in a restored database, one after another, times the statement before, after
 * each, and once more when they are gone, and proposes only what the clock confirms.
 */
export async function tryOut(
  analysis: Analysis,
  asked: Asked & { readonly restoreId: string },
  { direct, queries, databaseOf }: TrialDeps,
  caller: Caller,
): Promise<Analysis> {
  if (analysis.indexes.length === 0) return analysis
  if (analysis.statement_class !== 'read') {
    return said(analysis, 'Give the values of its parameters to have it tried.')
  }
  const database = await databaseOf(asked.restoreId)
  const measure = (): Promise<readonly number[]> => timesOf(asked, queries, caller)
  const place = { database, name: TRIAL }
  return DirectSession.use(
    direct,
    async (session) => {
      const first = await measure()
      const tried: Tried[] = []
      const made: IndexAdvice[] = []
      try {
        for (const advice of analysis.indexes) {
          const size_bytes = await make(session, advice, caller.signal)
          if (size_bytes === null) {
            return said(analysis, 'The indexes could not be made in the restored database.')
          }
          made.push(advice)
          tried.push({ advice, size_bytes, ms_after: median(await measure()) })
        }
      } finally {
        // Only what was made here: a name that was taken is that of somebody else's.
        for (const advice of made) await session.command(plainSql(advice).drop)
      }
      // What else the machine did meanwhile would show as a difference between the two.
      const ms_before = median([...first, ...(await measure())])
      return confirmed(analysis, asked.restoreId, ms_before, tried)
    },
    place,
  )
}

interface Tried {
  readonly advice: IndexAdvice
  readonly size_bytes: number
  readonly ms_after: number
}

function confirmed(
  analysis: Analysis,
  restoreId: string,
  ms_before: number,
  tried: readonly Tried[],
): Analysis {
  let current = ms_before
  const indexes: IndexAdvice[] = []
  const without: string[] = []
  for (const { advice, size_bytes, ms_after } of tried) {
    if (ms_after <= current * WORTH) {
      indexes.push({ ...advice, method: 'trial', ms_before: current, ms_after, size_bytes })
      current = ms_after
    } else {
      const proposal = statementOf(advice.create_sql)
      without.push(`${proposal} was tried and did not help: ${current} -> ${ms_after} ms.`)
    }
  }
  const dropped = tried.filter(
    ({ advice }) => !indexes.some(({ create_sql }) => create_sql === advice.create_sql),
  )
  const suggestions = analysis.suggestions.filter(
    (one) => !dropped.some(({ advice }) => one.startsWith(statementOf(advice.create_sql))),
  )
  return {
    ...analysis,
    indexes,
    suggestions: [...suggestions, ...without],
    estimated_improvement: `${ms_before} -> ${current} ms measured on restore ${restoreId}`,
  }
}

const said = (analysis: Analysis, sentence: string): Analysis => ({
  ...analysis,
  suggestions: [...analysis.suggestions, sentence],
})

/** Milliseconds that PostgreSQL took for each run; each is undone with its transaction. */
const timesOf = (
  asked: Asked,
  queries: TrialDeps['queries'],
  caller: Caller,
): Promise<readonly number[]> =>
  queries.judged(asked, caller, async ({ session, sent, values }) => {
    const options = ', analyze, timing off'
    const times: number[] = []
    const until = performance.now() + MEASURE_MS
    for (let run = 0; run <= RUNS && (run < 2 || performance.now() < until); run++) {
      const plan = await queries.running(
        () => session.explain(sent.text, { values, options }, caller.signal) as Promise<Plan>,
      )
      if (run > 0) times.push(Number(plan['Execution Time']))
    }
    return times
  })

/** Its size in bytes; null where it cannot be made. */
async function make(
  session: DirectSession,
  advice: IndexAdvice,
  signal: AbortSignal,
): Promise<number | null> {
  const { create, name } = plainSql(advice)
  try {
    await session.command(create, signal)
  } catch (error) {
    if (CANNOT.has(sqlState(error) ?? '')) return null
    throw error
  }
  const [made] = await session.many(sizeOf(name))
  return made?.bytes ?? 0
}

const sizeOf = (name: string) => sql<{ bytes: number }>`
  select pg_relation_size(${name}::regclass)::float8 as bytes`

/** Of a handful of figures, to a thousandth. */
function median(times: readonly number[]): number {
  const sorted = times.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const [low, high] = [sorted[middle - 1 + (sorted.length % 2)], sorted[middle]]
  return Math.round((((low ?? 0) + (high ?? 0)) / 2) * 1_000) / 1_000
}
