import { z } from 'zod'
import { SERIES_NAMES, type SeriesName } from './series.js'

const count = z.int().min(0)
const severity = z.enum(['critical', 'warning', 'info'])
const figure = z.union([z.number(), z.string(), z.boolean(), z.null()])

/** How many findings there are. */
export const counts = z.object({ critical: count, warning: count, info: count })

/** One thing that is not well. */
export const finding = z.object({
  check: z.string(),
  severity,
  object: z.string().nullable(),
  title: z.string(),
  evidence: z.record(z.string(), z.unknown()),
  threshold: figure,
  since: z.string(),
  trend: z
    .object({ per_hour: z.number(), eta_seconds: z.number().nullable(), text: z.string() })
    .nullable(),
  next_step: z.string(),
  tool: z.object({ name: z.string(), arguments: z.record(z.string(), z.unknown()) }).nullable(),
})

/** A check that is well. */
export const passed = z.object({ check: z.string(), value: figure, threshold: figure })

/** A check that nobody can say anything of now. */
export const unknown = z.object({ check: z.string(), reason: z.string() })

const lock = z.object({
  type: z.string(),
  mode: z.string(),
  relation: z.string().nullable(),
})

/** A session that others wait for, with them below it. */
export const lockTree = z.object({
  pid: z.int(),
  application_name: z.string(),
  state: z.string().nullable(),
  wait_event: z.string().nullable(),
  transaction_age_ms: z.number().nullable(),
  wait_ms: z.number().nullable(),
  lock: lock.nullable(),
  query: z.string().nullable(),
  get blocks(): z.ZodArray<typeof lockTree> {
    return z.array(lockTree)
  },
})

const UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const LEAST_MS = 15 * 60_000
const MOST_MS = 30 * 86_400_000

/** A time frame and its length in milliseconds. */
export const timeframe = () =>
  z
    .string()
    .regex(/^\d{1,6}[mhd]$/, 'must be a number and m, h or d, such as 15m, 1h or 7d')
    .transform((text, context): [string, number] => {
      const ms = Number(text.slice(0, -1)) * (UNITS[text.slice(-1)] ?? 0)
      if (ms >= LEAST_MS && ms <= MOST_MS) return [text, ms]
      context.addIssue({ code: 'custom', message: 'must be from 15m to 30d' })
      return z.NEVER
    })
    .default(['1h', UNITS.h ?? 0])
    .describe('15m to 30d.')

/** Names of figures, separated by commas. */
export const series = () =>
  z
    .string()
    .max(1_000)
    .transform((text, context): SeriesName[] => {
      const names = [...new Set(text.split(',').map((name) => name.trim()))]
      const known = SERIES_NAMES.filter((name) => names.includes(name))
      if (known.length === names.length) return known
      context.addIssue({ code: 'custom', message: `must be of: ${SERIES_NAMES.join(', ')}` })
      return z.NEVER
    })
    .optional()
    .describe('Names, separated by commas; without them an overview.')
