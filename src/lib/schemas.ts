import { z } from 'zod'
import { decimal } from './decimal.js'

/**
 * Text from outside, at most `max` characters. NUL cannot be stored by PostgreSQL, and a lone
 * surrogate would silently become U+FFFD on the way, so both are refused by name.
 */
export const text = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => !value.includes('\0'), 'must not contain a NUL character')
    .refine((value) => value.isWellFormed(), 'must be well-formed Unicode (lone surrogate found)')

/** Text of at least one visible character. */
export const nonEmptyText = (max: number) =>
  text(max).refine((value) => value.trim() !== '', 'must not be empty')

/**
 * An id or key that somebody else gave out. White space, which no eye sees at its ends, and characters
 * that only look alike would make another id of the same one, so they are refused.
 */
export const identifier = (max: number) =>
  z
    .string()
    .max(max)
    .refine((value) => /^[\x21-\x7e]+$/.test(value), 'must be printable ASCII without spaces')

/** A ratio from 0 to 1, such as a confidence or a hit rate. */
export const ratio = () =>
  z
    .number()
    .min(0, 'must be 0-1')
    .max(1, { error: ({ input }) => `must be 0-1${suggestRatio(input)}` })

/** How a number is rounded to the decimals its column keeps: half away from zero, or towards zero. */
const ROUNDING = { nearest: 1, down: 0 } as const

/**
 * A number as its column keeps it, rounded at the door: what is compared with limits, what is stored and
 * what is answered are then the same. `down` is for what a limit must not let pass by rounding.
 */
export const kept = (
  number: z.ZodNumber,
  decimals: number,
  rounding: keyof typeof ROUNDING = 'nearest',
) => number.transform((value) => decimal(value).round(decimals, ROUNDING[rounding]).toNumber())

/** A ratio as columns keep it: with four decimals. */
export const keptRatio = (rounding?: keyof typeof ROUNDING) => kept(ratio(), 4, rounding)

/** What may be meant in per cent; hardly more than 1 is not. */
const suggestRatio = (input: unknown): string =>
  typeof input === 'number' && input >= 2 && input <= 100
    ? `, did you mean ${decimal(input).div(100)}?`
    : ''

/**
 * An instant on the wire: ISO 8601 with a zone, so that nobody has to guess which. PostgreSQL knows no
 * year 0, and no zone further than 15:59 from UTC.
 */
export const instant = () =>
  z.iso
    .datetime({
      offset: true,
      error: 'must be an ISO 8601 instant with a zone, such as 2024-12-30T14:30:00Z',
    })
    .refine((value) => !value.startsWith('0000'), 'must be in the year 1 or later')
    .refine((value) => !/[+-](1[6-9]|2\d):\d\d$/.test(value), 'must be at most 15:59 from UTC')

/** A filter of lists by when something was stored, which is not when it happened. */
export const storedSince = () =>
  instant().optional().describe('Stored, or changed since, then or later.')

/** A ticker: `^[A-Z0-9][A-Z0-9.\-]{0,14}$` after trimming and upper-casing. */
export const symbol = () =>
  z
    .string()
    .refine(
      (value) => /^\s*[A-Za-z0-9][A-Za-z0-9.-]{0,14}\s*$/.test(value),
      'must be a ticker symbol such as AAPL or BRK.B',
    )
    .transform((value) => value.trim().toUpperCase())
    .describe('A ticker.')

/** An account of the trading system. */
export const accountId = () =>
  z
    .string()
    .refine(
      (value) => /^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(value),
      'must be 1-64 letters, digits or . _ : -',
    )
    .describe('An account.')

/** The account of who names none. */
export const DEFAULT_ACCOUNT = 'default'

/** What a caller names a call by, so that sending it again is harmless. */
export const idempotencyKey = () => identifier(255).optional().describe('Makes repeats safe.')
