import pg from 'pg'
import { exactTypes } from '../types.js'

const { builtins } = pg.types

/** A value as an answer has it: exact, whatever the type. */
export type ExactValue = string | number | boolean | null | readonly ExactValue[]

/** How a type is told, by its oid. */
export interface TypeFacts {
  /** As PostgreSQL writes it, such as `numeric(12,2)`. */
  readonly name: string
  /** The type of the elements, of an array; else null. */
  readonly element: number | null
  /** What stands between the elements: a comma for all but boxes. */
  readonly delimiter: string
}

const FLOATS: readonly number[] = [builtins.FLOAT4, builtins.FLOAT8]
const SMALL_INTEGERS: readonly number[] = [builtins.INT2, builtins.INT4]
const TIMES: readonly number[] = [builtins.TIMESTAMPTZ, builtins.TIMESTAMP]

/**
 * A value from PostgreSQL's text form: numbers that JSON holds exactly as numbers, all others as text,
 * instants in ISO 8601, arrays as lists.
 */
export function exactValue(
  raw: string | null,
  type: number,
  factsOf: (type: number) => TypeFacts | undefined,
): ExactValue {
  if (raw === null) return null
  if (SMALL_INTEGERS.includes(type)) return Number(raw)
  if (FLOATS.includes(type)) return float(raw)
  if (type === builtins.BOOL) return raw === 't'
  if (TIMES.includes(type)) return String(exactTypes.getTypeParser(type, 'text')(raw))
  const { element = null, delimiter = ',' } = factsOf(type) ?? {}
  if (element === null || !raw.endsWith('}')) return raw
  return items(raw, delimiter, (item) => exactValue(item, element, factsOf))
}

/** NaN, the infinities and negative zero are not in JSON. */
function float(raw: string): number | string {
  const value = Number(raw)
  return Number.isFinite(value) && !Object.is(value, -0) ? value : raw
}

/** The items of an array in the form of https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO */
function items(
  raw: string,
  delimiter: string,
  read: (item: string | null) => ExactValue,
): ExactValue {
  // Bounds that do not begin at 1 stand before the braces.
  let at = raw.indexOf('{')
  const list = (): ExactValue => {
    const found: ExactValue[] = []
    at++
    while (raw[at] !== '}') {
      if (raw[at] === delimiter) at++
      found.push(raw[at] === '{' ? list() : item())
    }
    at++
    return found
  }
  const item = (): ExactValue => {
    if (raw[at] === '"') return read(quotedItem())
    const start = at
    while (raw[at] !== delimiter && raw[at] !== '}') at++
    const word = raw.slice(start, at)
    return read(word === 'NULL' ? null : word)
  }
  const quotedItem = (): string => {
    let value = ''
    for (at++; raw[at] !== '"'; at++) {
      if (raw[at] === '\\') at++
      value += raw[at]
    }
    at++
    return value
  }
  return list()
}

/** A parameter as PostgreSQL reads it: lists as arrays, objects as JSON. */
export function parameterText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (Array.isArray(value)) return `{${value.map(elementText).join(',')}}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function elementText(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(elementText).join(',')}}`
  const text = parameterText(value)
  return text === null ? 'NULL' : `"${text.replaceAll(/["\\]/g, '\\$&')}"`
}
