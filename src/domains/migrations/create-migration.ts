import { AppError } from '../../errors.js'
import { MAX_SCRIPT_BYTES } from '../../platform/sql-parser/parse-script.js'
import { type Directives, readDirectives } from './directives.js'
import type { NewMigration } from './new-files.js'
import type { Finding } from './report.js'
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
  const directives = checkHeader('up_sql', body, origin)
  const header = headerOf(directives, { description, isReversible: down !== null })
  const up = header.join('') + body
  const lint = await check(judge, 'up_sql', body, down !== null)
  if (down !== null) {
    checkHeader('down_sql', down, origin)
    await check(judge, 'down_sql', down, true)
  }
  return { migration: { name, up, down }, lint: lint.map(below(header.length)) }
}

/** As it is read back: line ends are LF there, whatever they were. */
const ended = (text: string): string => `${text.replaceAll('\r\n', '\n').trimEnd()}\n`

const below =
  (lines: number) =>
  (finding: Finding): Finding => ({ ...finding, line: finding.line + lines })

function checkHeader(field: Field, text: string, origin: Origin): Directives {
  const faults: string[] = []
  const directives = readDirectives(text, faults)
  const [fault] = faults
  if (fault !== undefined) {
    throw new AppError('invalid_input', `The header of ${field} cannot be read: ${short(fault)}.`, {
      hint: 'Nothing was written. Correct that line; comments begin after an empty line.',
    })
  }
  const [theirs] = origin === 'client' ? operatorsOnly(directives) : []
  if (theirs === undefined) return directives
  throw new AppError('invalid_input', `${field} has "-- ${theirs}:", which only people may set.`, {
    hint: 'Nothing was written. Leave it out: run_migrations asks for what has to be confirmed. Who runs the server can add the line to the file before it is applied.',
  })
}

/** What takes away a confirmation, or lets a migration keep others waiting for longer. */
const operatorsOnly = ({ allow, lockTimeoutMs, outOfOrder }: Directives): string[] => [
  ...(allow.size > 0 ? ['allow'] : []),
  ...(lockTimeoutMs === null ? [] : ['lock_timeout']),
  ...(outOfOrder ? ['out-of-order'] : []),
]

function headerOf(
  directives: Directives,
  given: { readonly description: string | undefined; readonly isReversible: boolean },
): string[] {
  const { description, irreversible } = directives
  if (given.description !== undefined && description !== '') throw twice()
  if (given.isReversible && irreversible !== null) throw contradiction()
  const needsReason = !given.isReversible && irreversible === null
  return [
    ...(given.description === undefined ? [] : [`-- description: ${given.description}\n`]),
    ...(needsReason ? ['-- irreversible: it was written without a down script\n'] : []),
  ]
}

async function check(
  judge: Judge,
  field: Field,
  text: string,
  hasDown: boolean,
): Promise<readonly Finding[]> {
  const findings = await judge(field, text, hasDown)
  const refused = findings.filter(({ severity }) => severity === 'error')
  const [first] = refused
  if (first === undefined) return findings
  const more = refused.length > 1 ? ` (and ${refused.length - 1} more like it)` : ''
  throw new AppError(
    'invalid_input',
    `${field}, line ${first.line}: ${first.rule}: ${first.message}${more}`,
    { hint: `Nothing was written. ${first.rewrite ?? 'Leave it out: it is never run.'}` },
  )
}

const MAX_SHOWN = 200
const short = (text: string): string => text.slice(0, MAX_SHOWN)

/** What a model writes is read, judged and asked about while others wait; files carry more. */
const MAX_CLIENT_BYTES = 256 * 1024
/** With the header that is written above it, a file may still be read. */
const MAX_HEADER_BYTES = 1_024

/** @throws AppError `invalid_input` naming the limit */
function refuseLong(field: Field, text: string, origin: Origin): void {
  const bytes = Buffer.byteLength(text)
  const most = origin === 'client' ? MAX_CLIENT_BYTES : MAX_SCRIPT_BYTES - MAX_HEADER_BYTES
  if (bytes <= most) return
  const where = origin === 'client' ? ' over MCP' : ''
  throw new AppError('invalid_input', `${field} has ${bytes} bytes; ${most} are allowed${where}.`, {
    hint: 'Nothing was written. Divide it into several migrations; load rows with COPY outside of migrations. Who runs the server may put a file of up to 5 MB into the folder.',
  })
}

const twice = (): AppError =>
  new AppError('invalid_input', 'description is given twice: as an argument and in up_sql.', {
    hint: 'Nothing was written. Give it once.',
  })

const contradiction = (): AppError =>
  new AppError('invalid_input', 'up_sql says "-- irreversible:", but there is a down_sql.', {
    hint: 'Nothing was written. Leave out the one that is not meant.',
  })
