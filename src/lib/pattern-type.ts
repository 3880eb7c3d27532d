import { z } from 'zod'
import { text } from './schemas.js'

const PATTERN_TYPE = /^[a-z0-9][a-z0-9_]{0,63}$/

/** A name as statistics are kept by: "Bull Flag", "bull-flag" and "bull_flag" are one. */
export const normalName = (name: string): string =>
  name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, '_')

/** The name of a chart pattern, in its normal form. */
export const patternType = () =>
  text(200)
    .transform(normalName)
    .pipe(
      z
        .string()
        .regex(
          PATTERN_TYPE,
          'must be a name such as bull_flag: at most 64 letters, digits and underscores',
        ),
    )
