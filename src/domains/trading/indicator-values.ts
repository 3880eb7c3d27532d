import { type Decimal, decimal, money, plain, price, rounded } from '../../lib/decimal.js'
import { text } from '../../lib/schemas.js'
import { TIMEFRAMES, type Timeframe } from '../../lib/timeframes.js'

/** Indicators as a client sends them: any JSON, of limited size. */
export type Indicators = Readonly<Record<string, unknown>>

/** What the limits of risk are computed from; null where the client did not say. */
export interface GivenValues {
  readonly entry_price: Decimal | null
  readonly atr: Decimal | null
  readonly equity: Decimal | null
}

/** What is wrong with indicators; `field` is null where it is about all of them. */
export interface IndicatorProblem {
  readonly field: string | null
  readonly message: string
}

const MAX_BYTES = 64 * 1024
/** The object itself counts as one. */
const MAX_DEPTH = 10

/** Under which names a value is looked for, the first that is there wins. */
const NAMES = {
  entry_price: ['entry_price', 'entry', 'price', 'last_price', 'close'],
  atr: ['atr', 'atr_14', 'atr14'],
  equity: ['equity', 'account_equity'],
} as const
const SCHEMAS = { entry_price: price(), atr: price(), equity: money() }
/** As `price()` and `money()` allow. */
const DECIMALS = 6
const FIELDS = ['entry_price', 'atr', 'equity'] as const

const storable = text(MAX_BYTES)

/** Everything that keeps indicators from being stored, or a named value from being used. */
export function indicatorProblems(value: unknown): IndicatorProblem[] {
  if (!isIndicators(value)) return [{ field: null, message: 'must be an object' }]
  const message = contentProblem(value, 1) ?? sizeProblem(value)
  if (message !== null) return [{ field: null, message }]
  return FIELDS.flatMap((field) => read(value, field).problem ?? [])
}

/** True for a JSON object. */
export const isIndicators = (value: unknown): value is Indicators =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The values that indicators without a problem give; names count in any case, null as not given. */
export const givenValues = (indicators: Indicators): GivenValues => ({
  entry_price: read(indicators, 'entry_price').value,
  atr: read(indicators, 'atr').value,
  equity: read(indicators, 'equity').value,
})

/** The timeframe that indicators name, if it is one that bars have. */
export function givenTimeframe(indicators: Indicators): Timeframe | null {
  const [, given] = Object.entries(indicators).find(([key]) => /^timeframe$/i.test(key)) ?? []
  return TIMEFRAMES.find((timeframe) => timeframe === given) ?? null
}

interface Read {
  readonly value: Decimal | null
  readonly problem: IndicatorProblem | null
}

function read(indicators: Indicators, field: keyof GivenValues): Read {
  for (const name of NAMES[field]) {
    const given = Object.keys(indicators).filter(
      (key) => key.toLowerCase() === name && indicators[key] !== null,
    )
    const [key] = given
    if (key === undefined) continue
    if (given.length > 1) return refused(name, 'is given more than once, in different case')
    const parsed = SCHEMAS[field].safeParse(asRead(indicators[key]))
    if (parsed.success) return { value: decimal(parsed.data), problem: null }
    return refused(name, parsed.error.issues[0]?.message ?? 'must be a decimal number')
  }
  return { value: null, problem: null }
}

/**
 * Indicators are computed with binary floats, whose last digits mean nothing: a number counts with as
 * many decimals as are kept. A text is meant exactly.
 */
function asRead(value: unknown): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value)) return value
  const kept = rounded(decimal(value), DECIMALS)
  return kept.eq(0) ? value : plain(kept)
}

const refused = (field: string, message: string): Read => ({
  value: null,
  problem: { field, message },
})

/** Looks for the depth first: whatever else walks the value may then do so recursively. */
function contentProblem(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return storable.safeParse(value).error?.issues[0]?.message ?? null
  // JSON allows 1e400, which arrives as Infinity and would be stored as null.
  if (typeof value === 'number' && !Number.isFinite(value)) return 'must not contain such a number'
  if (typeof value !== 'object' || value === null) return null
  if (depth > MAX_DEPTH) return `must not be nested deeper than ${MAX_DEPTH}`
  for (const [key, item] of Object.entries(value)) {
    const problem = contentProblem(key, depth) ?? contentProblem(item, depth + 1)
    if (problem !== null) return problem
  }
  return null
}

const sizeProblem = (value: Indicators): string | null =>
  Buffer.byteLength(JSON.stringify(value)) > MAX_BYTES
    ? `must not be larger than ${MAX_BYTES} bytes of JSON`
    : null
