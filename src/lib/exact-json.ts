import { decimal } from './decimal.js'

/** A number that JSON.parse would change, in its place as a text with this before it. */
const MARK = '\ue000inexact number '

/** Where such a number could be at all: it has many digits, or an exponent. */
const SUSPECT = /[\d.]{16}|\d[eE][+-]?\d/
/** Texts, which are left alone, and numbers. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g
const MOST_SHOWN = 40

/**
 * Parses JSON as `JSON.parse` does, but a number that a double cannot hold (1234567890123456789, 1e400)
 * does not silently become another one: it is marked, for `findInexact` to refuse it where it stands.
 *
 * @throws SyntaxError when it is not JSON
 */
export function parseJson(text: string): unknown {
  if (!SUSPECT.test(text)) return JSON.parse(text)
  const marked = text.replaceAll(TOKEN, (token) =>
    token.startsWith('"') || isExact(token) ? token : JSON.stringify(MARK + token),
  )
  const parsed: unknown = JSON.parse(marked)
  // What belongs to the protocol and not to a tool stays the number that it would have been.
  const { id } = Object(parsed)
  if (isInexact(id)) Object.assign(Object(parsed), { id: Number(id.slice(MARK.length)) })
  return parsed
}

/** The number of a marked value as it was written, shortened; null for any other value. */
export const inexactNumber = (value: unknown): string | null =>
  isInexact(value) ? value.slice(MARK.length, MARK.length + MOST_SHOWN) : null

const isInexact = (value: unknown): value is string =>
  typeof value === 'string' && value.startsWith(MARK)

function isExact(token: string): boolean {
  if (token.length < 16 && !/[eE]/.test(token)) return true
  const value = Number(token)
  // An exponent of many digits is not worth an exact comparison: such a number is 0 or infinite.
  return Number.isFinite(value) && !/[eE][+-]?\d{4}/.test(token) && decimal(token).eq(value)
}
