import { z } from 'zod'
import { CACHE_TYPES } from '../../lib/marks.js'

const header = z.object({
  /** The version of the server that wrote it. */
  version: z.string(),
  /** The log that `seq` counts in. */
  log_id: z.string(),
  /** What had been published when the value was built, and is surely in it. */
  seq: z.number(),
  type: z.enum(CACHE_TYPES),
  /** Marks that outdate it, by their names; also what it is deleted by. */
  tags: z.array(z.string()),
  origin: z.enum(['server', 'client']),
  cached_at: z.string(),
  ttl_seconds: z.number(),
})

/** What an entry says of its value. */
export type EntryHeader = z.output<typeof header>

/** A cached value with what it was built from. */
export interface Entry {
  readonly header: EntryHeader
  /** JSON. */
  readonly text: string
}

/** The header comes first and alone, so that an outdated value is never parsed. */
export const encode = ({ header, text }: Entry): string => `${JSON.stringify(header)}\n${text}`

/** Reads an entry; null for anything this server would not have written. */
export function decode(stored: string): Entry | null {
  const end = stored.indexOf('\n')
  const parsed = header.safeParse(parseJson(stored.slice(0, Math.max(end, 0))))
  return parsed.success ? { header: parsed.data, text: stored.slice(end + 1) } : null
}

/** Undefined for what is no JSON: somebody else may have written to the cache. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
