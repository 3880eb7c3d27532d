import { z } from 'zod'
import { CACHE_TYPES } from '../../lib/marks.js'
import { KNOWN_PREFIXES, typeOfKey } from './key.js'

const MAX_KEY = 200
const MAX_RESULT_BYTES = 1_024 * 1_024

const isPrintable = (value: string): boolean => /^[\x21-\x7e]*$/.test(value)
const isOfOurs = (value: string): boolean => typeOfKey(value) !== null
const outside = `must begin with one of ${KNOWN_PREFIXES}`

const keyText = () =>
  z
    .string()
    .min(1, 'must not be empty')
    .max(MAX_KEY)
    .refine(isPrintable, 'must be printable ASCII without spaces')

/** One of the kinds of cached values. */
export const cacheType = () => z.enum(CACHE_TYPES)

/** A key as it is listed. */
export const cacheKey = () => keyText().refine(isOfOurs, outside)

/** True of a pattern that every key matches. */
export const isEverything = (pattern: string): boolean => /^\*+$/.test(pattern)

/** In a Redis glob a bracket that is never closed silently takes the rest of the pattern. */
const isClosed = (pattern: string): boolean =>
  !pattern
    .replace(/\\./g, '')
    .replace(/\[[^\]]*\]/g, '')
    .includes('[')

/** A Redis glob over our keys. */
export const keyPattern = () =>
  keyText()
    .refine((pattern) => isEverything(pattern) || isOfOurs(pattern), `${outside}, or be *`)
    .refine(isClosed, 'has a [ without its ]; write \\[ for the character')

/** What a client found out about a pattern. */
export const patternResult = z
  .record(z.string(), z.unknown(), 'must be an object')
  .refine(
    (result) => Buffer.byteLength(JSON.stringify(result)) <= MAX_RESULT_BYTES,
    'must be at most 1 MiB of JSON',
  )

/** How many values of each kind. */
export const countByType = () => z.partialRecord(cacheType(), z.int())
