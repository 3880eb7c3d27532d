import { readFileSync } from 'node:fs'
import { parse as parseToml } from 'smol-toml'
import { z } from 'zod'

const share = () => z.number().min(0).max(1)
const percent = () => z.number().positive().max(100)
const multiple = () => z.number().positive().max(100)

/** What a signal must respect before it may become a trade. */
const RISK = z
  .strictObject({
    max_position_pct: percent()
      .default(20)
      .describe('Largest position of full size, in percent of equity.'),
    max_position_pct_pre_market: percent()
      .default(10)
      .describe('The same before the market opens.'),
    confidence_full: share().default(0.7).describe('Above it a position has full size.'),
    confidence_half: share().default(0.5).describe('Above it half size.'),
    confidence_quarter: share().default(0.3).describe('Above it quarter size; below it none.'),
    risk_per_trade_pct: percent()
      .default(2)
      .describe(
        'Most that one trade may lose at its stop, in percent of equity, times confidence.',
      ),
    stop_pct: percent().default(2).describe('Distance of the stop where no ATR is known.'),
    stop_atr: multiple().default(2).describe('Distance of the stop in ATR.'),
    target_1_atr: multiple().default(3).describe('Distance of the first target in ATR.'),
    target_2_atr: multiple().default(4).describe('Distance of the second target in ATR.'),
    min_reward_risk: multiple()
      .default(1.5)
      .describe('Least distance of the first target, as a multiple of that of the stop.'),
    max_open_positions: z
      .int()
      .min(1)
      .default(5)
      .describe('Open positions and pending entries of an account.'),
    max_day_loss_pct: percent()
      .default(4)
      .describe('Realised loss of a day, in percent of equity, at which signals are rejected.'),
    max_trades_per_day: z
      .int()
      .min(1)
      .default(20)
      .describe('Trades of an account and a day: orders that were filled, and pending entries.'),
    min_price: z.number().positive().default(1).describe('Lowest price of a security to trade.'),
    max_price: z.number().positive().default(500).describe('Highest price of a security to trade.'),
    signal_minutes: z
      .number()
      .positive()
      .max(10_080)
      .default(60)
      .describe('A signal that is still pending then has expired.'),
  })
  .refine(
    (risk) =>
      risk.confidence_quarter <= risk.confidence_half &&
      risk.confidence_half <= risk.confidence_full,
    'confidence_quarter, confidence_half and confidence_full must be in this order',
  )
  .refine((risk) => risk.min_price <= risk.max_price, 'min_price must not be above max_price')
  .refine(
    (risk) => risk.target_1_atr <= risk.target_2_atr,
    'target_1_atr must not be above target_2_atr: the first target is the nearer one',
  )

/** How results are told, and what they say about sources and patterns. */
const LEARNING = z.strictObject({
  win_bps: z.number().positive().default(25).describe('A net return from here on is a win.'),
  loss_bps: z.number().negative().default(-25).describe('A net return down to here is a loss.'),
  source_prior_strength: z
    .number()
    .positive()
    .default(20)
    .describe('How many results the first opinion of a source counts for.'),
  source_prior_mean: share().default(0.5).describe('The first opinion of a source.'),
  source_interval: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.9)
    .describe('Probability of the interval around a reliability.'),
  source_rated_from: z
    .number()
    .positive()
    .default(10)
    .describe('Results from which on a source counts as rated.'),
  pattern_prior_strength: z
    .number()
    .positive()
    .default(10)
    .describe('How many results the less specific level counts for.'),
  pattern_link_minutes: z
    .number()
    .positive()
    .default(60)
    .describe('A position opened so soon after a detection tells its outcome.'),
  bars_wait_days: z
    .number()
    .min(0)
    .max(365)
    .default(3)
    .describe('Price bars that are missing so long after they were due are not waited for.'),
  pattern_bars: z
    .int()
    .min(1)
    .max(1_000)
    .default(24)
    .describe('Bars within which the price must move by one ATR to tell the outcome.'),
})

/** How the cache is used, and when its memory is a worry. */
const CACHE = z
  .strictObject({
    read_wait_ms: z
      .int()
      .min(1)
      .max(10_000)
      .default(50)
      .describe('A cache that has not answered a read by then is read past.'),
    invalidate_wait_ms: z
      .int()
      .min(1)
      .max(30_000)
      .default(5_000)
      .describe('Longest search for the keys of an invalidation; the rest ends by its TTL.'),
    warm_per_second: z
      .number()
      .positive()
      .max(10_000)
      .default(200)
      .describe('Entries that warm_cache builds in a second.'),
    memory_high_pct: percent()
      .default(80)
      .describe('Share of maxmemory from which on cache.memory.high is told.'),
    memory_ok_pct: percent().default(75).describe('Share below which that is over.'),
  })
  .refine((cache) => cache.memory_ok_pct < cache.memory_high_pct, {
    error: 'memory_ok_pct must be below memory_high_pct',
  })

/** What may be done to the schema. */
const MIGRATIONS = z.strictObject({
  destructive: z
    .enum(['confirm', 'refuse_when_open', 'refuse'])
    .default('confirm')
    .describe('Rollbacks, and migrations that lose data or make others wait.'),
})

/** How long it is remembered who called what. */
const AUDIT = z.strictObject({
  keep_months: z
    .int()
    .min(1)
    .max(1_200)
    .default(24)
    .describe(
      'Full months kept beside the running one; older ones are dropped, but for their heads.',
    ),
})

/** How much one caller may hold at a time. */
const LIMITS = z.strictObject({
  sessions_per_caller: z
    .int()
    .min(1)
    .max(1_000)
    .default(200)
    .describe('Database sessions that one caller may have open.'),
  subscriptions_per_client: z
    .int()
    .min(1)
    .max(100_000)
    .default(500)
    .describe('Resources that one connection or stream of a client may subscribe to.'),
  streams_per_client: z
    .int()
    .min(1)
    .max(1_000)
    .default(100)
    .describe('Streams of notifications that one client of the 2026 era may have open.'),
})

const SECTIONS = {
  risk: RISK,
  learning: LEARNING,
  cache: CACHE,
  migrations: MIGRATIONS,
  audit: AUDIT,
  limits: LIMITS,
}

const section = <S extends z.ZodObject>(schema: S) => z.preprocess((value) => value ?? {}, schema)

/** Limits and thresholds: one section for each part of the product that has any. */
const POLICY = z.strictObject({
  risk: section(RISK),
  learning: section(LEARNING),
  cache: section(CACHE),
  migrations: section(MIGRATIONS),
  audit: section(AUDIT),
  limits: section(LIMITS),
})

/** The limits and thresholds in force, parsed once. */
export type Policy = z.output<typeof POLICY>

/** Documentation of one entry, for the generated tables. */
export interface PolicyDoc {
  readonly name: string
  readonly meaning: string
  readonly default: string
}

/** All entries in the order of the schema, by their names in the file. */
export const policyDocs = (): PolicyDoc[] =>
  Object.entries(SECTIONS).flatMap(([part, { shape }]) =>
    Object.entries(shape).map(([name, schema]) => ({
      name: `${part}.${name}`,
      meaning: schema.description ?? '',
      default: String(schema.parse(undefined)),
    })),
  )

/** What holds where the file says nothing. */
export const defaultPolicy = (): Policy => POLICY.parse({})

/** Reads a policy file, TOML or (named `.json`) JSON; appends to `problems` what is wrong with it. */
export function readPolicy(path: string, problems: string[]): Policy {
  const parsed = POLICY.safeParse(readEntries(path, problems))
  for (const issue of parsed.error?.issues ?? []) {
    problems.push(`CATALYST_POLICY_FILE: ${issue.path.join('.') || 'the file'}: ${issue.message}`)
  }
  return parsed.data ?? defaultPolicy()
}

function readEntries(path: string, problems: string[]): unknown {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch {
    problems.push('CATALYST_POLICY_FILE: the file cannot be read')
    return {}
  }
  try {
    return path.endsWith('.json') ? JSON.parse(text) : parseToml(text)
  } catch {
    problems.push('CATALYST_POLICY_FILE: the file is not valid TOML (or JSON, when named .json)')
    return {}
  }
}
