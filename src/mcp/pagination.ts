import { ProtocolError, ProtocolErrorCode } from '@modelcontextprotocol/server'

/** Above what is served today, so that clients which never page still see everything. */
const PAGE_SIZE = 100

/**
 * One page of a list under its protocol name. The cursor is opaque to clients; it carries the offset,
 * which is stable because lists do not change while a server runs.
 *
 * @throws ProtocolError -32602 for a cursor this server did not give out
 */
export function page<K extends string, T>(
  key: K,
  items: readonly T[],
  cursor: string | undefined,
  size = PAGE_SIZE,
): Record<K, T[]> & { nextCursor?: string } {
  const start = cursor === undefined ? 0 : offsetOf(cursor, items.length)
  const end = start + size
  const body = { [key]: items.slice(start, end) } as Record<K, T[]>
  return end < items.length ? { ...body, nextCursor: cursorOf(end) } : body
}

const cursorOf = (offset: number): string => Buffer.from(`o:${offset}`).toString('base64url')

function offsetOf(cursor: string, length: number): number {
  const match = /^o:(\d{1,9})$/.exec(Buffer.from(cursor, 'base64url').toString())
  const offset = Number(match?.[1] ?? Number.NaN)
  if (offset < length && cursorOf(offset) === cursor) return offset
  throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'cursor: not one this server gave out')
}
