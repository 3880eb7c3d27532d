/** A number of a headline with its unit. */
export interface Figure {
  /** `%`, `$` for money of any currency, `bps`, or `n` for a count. */
  readonly kind: '%' | '$' | 'bps' | 'n'
  readonly value: number
  /** Half of what its last digit stands for: `1.2bn` is anything within 0.05bn. */
  readonly tolerance: number
}

/** What a word behind a number makes of it. */
export interface Unit {
  readonly kind: Figure['kind'] | null
  readonly scale: number
}

const UNITS: ReadonlyMap<string, Unit> = new Map(
  Object.entries({
    '%': { kind: '%', scale: 1 },
    bps: { kind: 'bps', scale: 1 },
    cent: { kind: '$', scale: 0.01 },
    dollar: { kind: '$', scale: 1 },
    thousand: { kind: null, scale: 1e3 },
    million: { kind: null, scale: 1e6 },
    billion: { kind: null, scale: 1e9 },
    trillion: { kind: null, scale: 1e12 },
  } as const).flatMap(([name, unit]) => spellings(name).map((word) => [word, unit] as const)),
)

function spellings(name: string): string[] {
  const others: Readonly<Record<string, string>> = {
    '%': 'percent pct pc',
    bps: 'bp basis',
    cent: 'cents c',
    dollar: 'dollars usd euro euros eur pounds gbp yen yuan rupees',
    thousand: 'k',
    million: 'mln mn m',
    billion: 'bln bn b',
    trillion: 'trn tn t',
  }
  return [name, ...(others[name] ?? '').split(' ')]
}

/** The unit that a word is, if it is one. */
export const unitOf = (word: string): Unit | undefined => UNITS.get(word)

const CODES = new Set(['usd', 'us', 'eur', 'gbp', 'jpy', 'chf', 'cad', 'aud', 'cny', 'inr', 'rs'])

/** Whether a token before a number makes it money. */
export const isCurrency = (token: string): boolean => /^\p{Sc}$/u.test(token) || CODES.has(token)

/** A number as it is written in one token; its unit may follow in the next. */
export interface WrittenFigure {
  readonly digits: string
  /** As it is written, such as `$` or `c$`; empty without one. */
  readonly currency: string
  readonly unit: Unit | undefined
}

const WRITTEN = /^([a-z]{0,3}\p{Sc})?(\d[\d,]*(?:\.\d+)?|\.\d+)([a-z%]*)$/u

/** Reads one token; null where it is no number, such as `covid19`. */
export function writtenFigure(token: string): WrittenFigure | null {
  const match = WRITTEN.exec(token)
  if (!match) return null
  const [, currency = '', digits = '', suffix = ''] = match
  const unit = unitOf(suffix)
  if (suffix !== '' && unit === undefined) return null
  return { digits: digits.replaceAll(',', ''), currency, unit }
}

/** The number: `1.2bn`, `1,200 million` and `1.2 billion` are one. */
export function figureOf(
  digits: string,
  isMoney: boolean,
  units: readonly (Unit | undefined)[],
  isNegative: boolean,
): Figure {
  let scale = 1
  let kind: Figure['kind'] = isMoney ? '$' : 'n'
  for (const unit of units) {
    if (unit === undefined) continue
    scale *= unit.scale
    kind = unit.kind ?? kind
  }
  const point = digits.indexOf('.')
  const decimals = point < 0 ? 0 : digits.length - point - 1
  const size = Number((Number(digits) * scale).toPrecision(15))
  return { kind, value: isNegative ? -size : size, tolerance: scale / 10 ** decimals / 2 }
}

/** Whether two numbers are one, of which one may be rounded. */
const isSame = (a: Figure, b: Figure): boolean =>
  a.kind === b.kind &&
  (a.value === b.value ||
    (a.tolerance !== b.tolerance &&
      Math.abs(a.value - b.value) <= Math.max(a.tolerance, b.tolerance) * 1.000_001))

/** The kind of which each tells a number that the other does not; null if there is none. */
export function opposedFigures(a: readonly Figure[], b: readonly Figure[]): string | null {
  if (a.length === 0 || b.length === 0) return null
  for (const { kind } of a) if (hasOther(a, b, kind) && hasOther(b, a, kind)) return kind
  return null
}

/** Whether `a` has a number of the kind that `b`, which has some, does not. */
function hasOther(a: readonly Figure[], b: readonly Figure[], kind: Figure['kind']): boolean {
  if (!b.some((figure) => figure.kind === kind)) return false
  return a.some((one) => one.kind === kind && !b.some((other) => isSame(one, other)))
}
