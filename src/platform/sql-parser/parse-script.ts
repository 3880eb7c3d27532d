import type { RawStmt } from 'libpg-query'
import { AppError } from '../../errors.js'
import { type ParseFailure, rawParse } from './raw-parse.js'
import { type ScriptStatement, untag } from './syntax.js'

/** Larger scripts carry data, which belongs into a COPY. */
const MAX_BYTES = 5 * 1024 * 1024
/** PostgreSQL quotes what it stumbled over, and that can be the rest of the script. */
const MAX_QUOTED = 200

/**
 * Splits a script into its statements, each with its syntax tree, by PostgreSQL 18's own parser.
 *
 * @throws AppError `invalid_input` with line and column for what PostgreSQL could not read
 */
export async function parseScript(text: string): Promise<readonly ScriptStatement[]> {
  const bytes = Buffer.from(text, 'utf8')
  refuseUnreadable(text, bytes.length)
  const parsed = await rawParse(text, bytes.length)
  if ('failure' in parsed) throw refusal(text, parsed.failure)
  return located(bytes, parsed.statements)
}

/** The parser stops at a NUL as if the script ended there, and replaces halves of characters. */
function refuseUnreadable(text: string, bytes: number): void {
  if (bytes > MAX_BYTES) {
    throw new AppError(
      'invalid_input',
      `The script has ${bytes} bytes; ${MAX_BYTES} are allowed.`,
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
  new AppError('invalid_input', `The script has ${what} at ${place(text.slice(0, at))}.`, {
    hint: 'Remove it: PostgreSQL cannot store it. Save the script as UTF-8.',
  })

/** How V8 names a stack, and how it names the memory of a thread, that were not enough. */
const EXHAUSTED = /RangeError|Maximum call stack|memory/

function refusal(text: string, failure: ParseFailure): Error {
  const { sqlDetails } = failure
  if (!sqlDetails) {
    const { name, message } = failure
    if (!EXHAUSTED.test(`${name} ${message}`)) return new Error(message, { cause: failure })
    return new AppError('invalid_input', 'The script is nested too deeply to be read.', {
      hint: 'Write it with fewer levels of nested or chained expressions, or divide it.',
      cause: failure,
    })
  }
  // The parser counts characters, which are code points and not UTF-16 units.
  const before = [...text].slice(0, sqlDetails.cursorPosition).join('')
  return new AppError('invalid_input', `At ${place(before)}: ${printable(failure.message)}.`, {
    hint: 'Correct the SQL there; the syntax is that of PostgreSQL 18. Nothing was run.',
  })
}

function place(before: string): string {
  const start = before.lastIndexOf('\n') + 1
  const line = before.split('\n').length
  return `line ${line}, column ${[...before.slice(start)].length + 1}`
}

function printable(message: string): string {
  const plain = message.replaceAll(/\p{C}+/gu, ' ')
  return plain.length > MAX_QUOTED ? `${plain.slice(0, MAX_QUOTED)}...` : plain
}

/** The parser counts bytes here. */
function located(bytes: Buffer, statements: readonly RawStmt[]): ScriptStatement[] {
  let line = 1
  let seen = 0
  return statements.flatMap(({ stmt, stmt_location: start = 0, stmt_len }, at) => {
    line += newlines(bytes.subarray(seen, start))
    seen = start
    if (!stmt) return []
    const text = bytes.toString('utf8', start, stmt_len ? start + stmt_len : bytes.length).trimEnd()
    return [{ ...untag(stmt), text, line, index: at + 1 }]
  })
}

function newlines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}
