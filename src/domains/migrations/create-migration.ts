import { AppError } from '../../errors.js'
import type { Finding } from '../../platform/sql-parser/lint/lint-script.js'
import { MAX_SCRIPT_BYTES } from '../../platform/sql-parser/parse-script.js'
import { type Directives, readDirectives } from './directives.js'
import type { NewMigration } from './new-files.js'
import type { CreateRequest } from './schemas.js'

/** Over MCP a model may have written it; who uses the command line runs the server. */
export type Origin = 'client' | 'operator'

type Field = 'up_sql' | 'down_sql'

/** What the linter says of a text that is to be written, of its up script first. */
export type Judge = (file: string, text: string, hasDown: boolean) => Promise<readonly Finding[]>

/**
 * The text of a new migration's files, and what the linter says of it.
 *
 * @throws AppError `invalid_input` for what could never be run, or not read back as it was meant
 */
export async function newMigration(
  { name, up_sql, down_sql, description }: CreateRequest,
  origin: Origin,
  judge: Judge,
): Promise<{ migration: NewMigration; lint: Finding[] }> {
  refuseLong('up_sql', up_sql, origin)
  refuseLong('down_sql', down_sql, origin)
  const body = ended(up_sql)
  const down = down_sql.trim() === '' ? null : ended(down_sql)
  const given = checkHeader('up_sql', body, origin)
  if (description !== undefined && given.description !== '') {
    refuse('description is given twice: as an argument and in up_sql.', 'Give it once.')
  }
  if (down !== null && given.irreversible !== null) {
    refuse(
      'up_sql says "-- irreversible:", but there is a down_sql.',
      'Leave out the one that is not meant.',
    )
  }
  const header = [
    ...(description === undefined ? [] : [`-- description: ${description}\n`]),
    ...(down !== null || given.irreversible !== null
      ? []
      : ['-- irreversible: it was written without a down script\n']),
  ]
  const lint = await check(judge, 'up_sql', body, down !== null)
  if (down !== null) {
    checkHeader('down_sql', down, origin)
    await check(judge, 'down_sql', down, true)
  }
  return {
    migration: { name, up: header.join('') + body, down },
    lint: lint.map((one) => ({ ...one, line: one.line + header.length })),
  }
}

const refuse = (message: string, hint: string): never => {
  throw new AppError('invalid_input', message, { hint: `Nothing was written. ${hint}` })
}

/** As it is read back: line ends are LF there, whatever they were. */
const ended = (text: string): string => `${text.replaceAll('\r\n', '\n').trimEnd()}\n`

function checkHeader(field: Field, text: string, origin: Origin): Directives {
  const faults: string[] = []
  const directives = readDirectives(text, faults)
  const [fault] = faults
  if (fault !== undefined) {
    refuse(
      `The header of ${field} cannot be read: ${fault.slice(0, 200)}.`,
      'Correct that line; comments begin after an empty line.',
    )
  }
  const [theirs] = origin === 'client' ? operatorsOnly(directives) : []
  if (theirs !== undefined) {
    refuse(
      `${field} has "-- ${theirs}:", which only people may set.`,
      'Leave it out: run_migrations asks for what has to be confirmed. Who runs the server can add the line to the file before it is applied.',
    )
  }
  return directives
}

/** What takes away a confirmation, or lets a migration keep others waiting for longer. */
const operatorsOnly = ({ allow, lockTimeoutMs, outOfOrder }: Directives): string[] => [
  ...(allow.size > 0 ? ['allow'] : []),
  ...(lockTimeoutMs === null ? [] : ['lock_timeout']),
  ...(outOfOrder ? ['out-of-order'] : []),
]

async function check(
  judge: Judge,
  field: Field,
  text: string,
  hasDown: boolean,
): Promise<readonly Finding[]> {
  const findings = await judge(field, text, hasDown)
  const refused = findings.filter(({ severity }) => severity === 'error')
  const [first] = refused
  if (first) {
    const more = refused.length > 1 ? ` (and ${refused.length - 1} more like it)` : ''
    refuse(
      `${field}, line ${first.line}: ${first.rule}: ${first.message}${more}`,
      first.rewrite ?? 'Leave it out: it is never run.',
    )
  }
  return findings
}

/** What a model writes is read, judged and asked about while others wait; files carry more. */
const MAX_CLIENT_BYTES = 256 * 1024
/** With the header that is written above it, a file may still be read. */
const MAX_HEADER_BYTES = 1_024

function refuseLong(field: Field, text: string, origin: Origin): void {
  const bytes = Buffer.byteLength(text)
  const most = origin === 'client' ? MAX_CLIENT_BYTES : MAX_SCRIPT_BYTES - MAX_HEADER_BYTES
  if (bytes <= most) return
  const where = origin === 'client' ? ' over MCP' : ''
  refuse(
    `${field} has ${bytes} bytes; ${most} are allowed${where}.`,
    'Divide it into several migrations; load rows with COPY outside of migrations. Who runs the server may put a file of up to 5 MB into the folder.',
  )
}
