import { Big, type BigSource } from 'big.js'
import { z } from 'zod'

/** An exact decimal number. */
export type Decimal = Big

/** The exact value of a decimal text, such as a `numeric` column or an argument that was checked. */
export const decimal = (value: BigSource): Decimal => new Big(value)

/** The shortest plain text of a value: no exponent, no trailing zeros. */
export const plain = (value: Decimal): string => value.toFixed()

/** Rounded half away from zero, as PostgreSQL rounds `numeric`. */
export const rounded = (value: Decimal, decimals: number): Decimal =>
  value.round(decimals, ROUND_HALF_UP)

/** What a decimal argument may be. */
interface DecimalRange {
  /** Most digits before the point, as the column has them. */
  readonly digits: number
  /** Most decimals; more are refused, never rounded. */
  readonly decimals: number
  readonly sign: 'positive' | 'not negative' | 'any'
}

const ROUND_HALF_UP = 1
/** Beyond this a JSON number may have lost digits before it got here (IEEE 754, DBL_DIG). */
const EXACT_DIGITS = 15
const MAX_TEXT = 64
const DECIMAL_TEXT = /^-?(\d+\.?\d*|\.\d+)$/

/**
 * An exact decimal argument: a JSON number, or a text such as "12.50" when a number could lose digits.
 * The value is its plain text.
 */
export const decimalOf = (range: DecimalRange) =>
  z.union([z.number(), z.string()]).transform((value, context) => {
    const parsed = read(value)
    const problem = typeof parsed === 'string' ? parsed : problemOf(parsed, range)
    if (problem === null && typeof parsed !== 'string') return plain(parsed)
    context.addIssue({ code: 'custom', message: problem ?? 'must be a decimal number' })
    return z.NEVER
  })

/** A price: above 0, `numeric(18,6)`. */
export const price = () => decimalOf({ digits: 12, decimals: 6, sign: 'positive' })

/** A quantity: above 0, `numeric(18,6)`. */
export const quantity = () => decimalOf({ digits: 12, decimals: 6, sign: 'positive' })

/** An amount of money of either sign, `numeric(20,6)`. */
export const money = () => decimalOf({ digits: 14, decimals: 6, sign: 'any' })

/** A decimal in an answer: always text, so that no reader's floating point touches it. */
export const decimalText = () => z.string()

function read(value: number | string): Decimal | string {
  if (typeof value === 'string') {
    const text = value.trim()
    return text.length <= MAX_TEXT && DECIMAL_TEXT.test(text)
      ? decimal(text)
      : 'must be a decimal number such as "12.50"'
  }
  const parsed = decimal(value)
  return parsed.c.length <= EXACT_DIGITS
    ? parsed
    : `has more than ${EXACT_DIGITS} digits, which a JSON number cannot hold exactly: send it as text`
}

function problemOf(value: Decimal, { digits, decimals, sign }: DecimalRange): string | null {
  if (sign === 'positive' && value.lte(0)) return 'must be greater than 0'
  if (sign === 'not negative' && value.lt(0)) return 'must not be negative'
  if (!rounded(value, decimals).eq(value)) return `must have at most ${decimals} decimals`
  if (value.abs().gte(decimal(10).pow(digits))) return `must be less than 10^${digits}`
  return null
}
