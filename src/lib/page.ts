import { z } from 'zod'
import { instant, text } from './schemas.js'

/** How many items a page has at most, and unless something else is asked for. */
const PAGE = { max: 500, default: 50 }

/** The sort key of an item, as text: it tells the item apart from all others of its list. */
export type PageKey = readonly string[]

/** What a part of a key is. What no list could have given out must not get as far as the database. */
const KEY_PARTS = {
  text: text(1_000),
  instant: instant(),
  int: z.string().regex(/^\d{1,9}$/),
  bigint: z.string().regex(/^\d{1,18}$/),
}

/** The kinds of the parts of a key, in its order. */
type KeyKinds = readonly (keyof typeof KEY_PARTS)[]

/** How many items a page has, and after which key, of parts of these kinds, it begins. */
export const pageParameters = (kinds: KeyKinds, page = PAGE) => ({
  limit: z.coerce.number().int().min(1).max(page.max).default(page.default),
  cursor: z
    .string()
    .max(1_000)
    .transform((cursor, context): PageKey => {
      const key = parse(cursor, kinds)
      if (key) return key
      const message = 'not one that this list gave out: pass next_cursor exactly as it was answered'
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .optional()
    .describe('next_cursor of the page before.'),
})

/** What every paged resource answers beside its items. */
export const NEXT_CURSOR = z.string().nullable().describe('Null at the end.')

/** One page of rows, of which one more than `limit` were asked for. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  keyOf: (row: Row) => PageKey,
): { items: Row[]; next_cursor: string | null } {
  const items = rows.slice(0, limit)
  const last = items.at(-1)
  const next_cursor = rows.length > limit && last !== undefined ? cursorOf(keyOf(last)) : null
  return { items, next_cursor }
}

/** The cursor that goes on after a key. */
export const cursorOf = (key: PageKey): string =>
  Buffer.from(JSON.stringify(key)).toString('base64url')

function parse(cursor: string, kinds: KeyKinds): PageKey | null {
  try {
    const key = z.array(z.string()).parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()))
    const isOurs =
      key.length === kinds.length &&
      kinds.every((kind, part) => KEY_PARTS[kind].safeParse(key[part]).success) &&
      cursorOf(key) === cursor
    return isOurs ? key : null
  } catch {
    return null
  }
}
