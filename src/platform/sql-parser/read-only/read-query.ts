import { createHash } from 'node:crypto'
import { AppError } from '../../../errors.js'
import { parseScript } from '../parse-script.js'
import type { ScriptStatement } from '../syntax.js'
import { type Place, placeOf, unitsOf } from '../text-place.js'
import { refuseLargeValues } from './constant-work.js'
import { Refusal } from './refusal.js'
import { selectOf, walkSelect } from './select-walk.js'
import type { NameUse, Uses } from './uses.js'

/** Longest text of a query. */
const MAX_QUERY_BYTES = 100_000
/** As much is fingerprinted at once; what is longer has a digest of its text instead. */
const FINGERPRINTED_BYTES = 8_192

/** A query that only reads, as far as its text tells. */
export interface ReadQuery {
  readonly text: string
  readonly statement: ScriptStatement
  readonly uses: Uses
}

/**
 * Reads one query by PostgreSQL's own parser and looks at every part of it.
 *
 * @param values of its parameters, as text
 * @throws Refusal naming the rule; AppError `invalid_input` for what cannot be read
 */
export async function readQuery(
  text: string,
  values: readonly (string | null)[],
  signal: AbortSignal,
): Promise<ReadQuery> {
  if (Buffer.byteLength(text) > MAX_QUERY_BYTES) {
    throw new Refusal(
      'length',
      `it is longer than ${MAX_QUERY_BYTES / 1_000} kB`,
      'Send long lists of values as an array parameter: = any ($1).',
    )
  }
  const statements = await parseScript(text, signal)
  const [statement] = statements
  if (!statement) {
    throw new AppError('invalid_input', 'There is no statement.', { hint: 'Send one SELECT.' })
  }
  if (statements.length > 1) {
    throw new Refusal(
      'one_statement',
      `these are ${statements.length} statements`,
      'Send them one by one.',
    )
  }
  const uses = walkSelect(statement)
  refuseLargeValues(selectOf(statement), values)
  return { text, statement, uses }
}

/** What goes to the server: the text with schemas put before names, where the parser has found them. */
export class QualifiedText {
  readonly text: string
  readonly #original: string
  readonly #put: readonly { readonly at: number; readonly bytes: number }[]

  constructor(original: string, found: readonly (NameUse & { readonly found: string })[]) {
    const bytes = Buffer.from(original)
    const put = [...found]
      .sort((a, b) => a.location - b.location)
      .map(({ location, found: schema }) => ({
        location,
        text: `"${schema.replaceAll('"', '""')}".`,
      }))
    const parts = put.map(({ location, text }, index) =>
      Buffer.concat([bytes.subarray(put[index - 1]?.location ?? 0, location), Buffer.from(text)]),
    )
    this.#original = original
    this.text = Buffer.concat([...parts, bytes.subarray(put.at(-1)?.location ?? 0)]).toString()
    this.#put = put.map(({ location, text }) => ({ at: location, bytes: Buffer.byteLength(text) }))
  }

  /** Where a place that PostgreSQL tells, in characters from 1, is in the text as it came: line and column. */
  placeOf(position: number): Place {
    const sent = this.text.slice(0, unitsOf(this.text, position - 1))
    let at = Buffer.byteLength(sent)
    for (const { at: start, bytes } of this.#put) if (start < at) at -= Math.min(bytes, at - start)
    return placeOf(this.#original, Buffer.from(this.#original).subarray(0, at).toString().length)
  }
}

/** What statements that differ in constants only have in common; for the audit, which keeps no text. */
export async function fingerprintOf(text: string): Promise<string> {
  const digest = `sha256:${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
  if (Buffer.byteLength(text) > FINGERPRINTED_BYTES || text.includes('/*')) return digest
  const { fingerprint } = await import('libpg-query')
  return fingerprint(text).catch(() => digest)
}
