import { AppError } from '../../errors.js'
import { type ParseFailure, rawParse } from './raw-parse.js'
import type { ScriptStatement } from './syntax.js'
import { placeOf, unitsOf } from './text-place.js'

/** Larger scripts carry data, which belongs into a COPY. */
export const MAX_SCRIPT_BYTES = 5 * 1024 * 1024
/** PostgreSQL quotes what it stumbled over, and that can be the rest of the script. */
const MAX_QUOTED = 200

/**
 * Splits a script into its statements, each with its syntax tree, by PostgreSQL 18's own parser. Items
 * of very long lists that are only constants or columns are left out of the tree.
 *
 * @throws AppError `invalid_input` with line and column for what PostgreSQL could not read, or why the
 *   signal was aborted
 */
export async function parseScript(
  text: string,
  signal: AbortSignal = new AbortController().signal,
): Promise<readonly ScriptStatement[]> {
  const bytes = Buffer.byteLength(text)
  refuseUnreadable(text, bytes)
  const parsed = await rawParse(text, bytes, signal)
  if ('failure' in parsed) throw refusal(text, parsed.failure)
  return parsed.statements
}

/** The parser stops at a NUL as if the script ended there, and replaces halves of characters. */
function refuseUnreadable(text: string, bytes: number): void {
  if (bytes > MAX_SCRIPT_BYTES) {
    throw new AppError(
      'invalid_input',
      `The script has ${bytes} bytes; ${MAX_SCRIPT_BYTES} are allowed.`,
      {
        hint: 'Divide it into several migrations; load data with COPY, outside of migrations.',
      },
    )
  }
  const nul = text.indexOf('\0')
  if (nul >= 0) throw unreadable('a NUL character', text, nul)
  if (!text.isWellFormed()) {
    const half = text.search(/\p{Surrogate}/u)
    throw unreadable('half of a UTF-16 character', text, half)
  }
}

const unreadable = (what: string, text: string, at: number): AppError =>
  new AppError('invalid_input', `The script has ${what} at ${shown(text, at)}.`, {
    hint: 'Remove it: PostgreSQL cannot store it. Save the script as UTF-8.',
  })

/** How V8 names a stack, and how it names the memory of a thread, that were not enough. */
const EXHAUSTED = /RangeError|Maximum call stack|memory/

function refusal(text: string, failure: ParseFailure): Error {
  const { sqlDetails } = failure
  if (!sqlDetails) {
    const { name, message } = failure
    if (name === 'TooMuch') {
      return new AppError('invalid_input', `The script ${message}.`, {
        hint: 'Divide it into several migrations; load data with COPY, outside of migrations.',
      })
    }
    if (!EXHAUSTED.test(`${name} ${message}`)) return new Error(message, { cause: failure })
    return new AppError('invalid_input', 'The script is nested too deeply to be read.', {
      hint: 'Write it with fewer levels of nested or chained expressions, or divide it.',
      cause: failure,
    })
  }
  const place = shown(text, unitsOf(text, sqlDetails.cursorPosition))
  return new AppError('invalid_input', `At ${place}: ${printable(failure.message)}.`, {
    hint: 'Correct the SQL there; the syntax is that of PostgreSQL 18. Nothing was run.',
  })
}

function shown(text: string, at: number): string {
  const { line, column } = placeOf(text, at)
  return `line ${line}, column ${column}`
}

function printable(message: string): string {
  const plain = message.replaceAll(/\p{C}+/gu, ' ')
  return plain.length > MAX_QUOTED ? `${plain.slice(0, MAX_QUOTED)}...` : plain
}
