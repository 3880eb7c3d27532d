import { pino } from 'pino'
import type { Config } from '../config.js'
import { AppError } from '../errors.js'
import { shownHandle } from '../lib/ids.js'
import { shown } from '../lib/terminal-text.js'

/** The process's log: JSON lines on stderr, for stdout belongs to the protocol on stdio. */
export type Log = ReturnType<typeof createLog>

/**
 * Makes the log. Lines about a call are given its reference id by who writes them: a context that
 * follows the call by itself (AsyncLocalStorage) costs Node 20 a tenth of the processor. What a terminal
 * would obey is escaped.
 */
export const createLog = (level: Config['LOG_LEVEL']) =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      redact: { paths: ['*.password', '*.connectionString'], censor: '[redacted]' },
      // Last of all: wherever in a line they stand.
      hooks: { streamWrite: (line) => line.replaceAll(HANDLES, shownHandle) },
    },
    { write: (line: string) => void stderr.write(shown(line)) },
  )

const stderr = pino.destination({ dest: 2, sync: true })
// Of a full disk or a reader that has left nobody can be told here; it is no reason to end.
stderr.on('error', () => {})

/**
 * For lines whose reference a client is told: they are written whatever else the log leaves out, unless
 * there is no log at all.
 */
export const referenceLog = (log: Log): Log =>
  log.child({}, log.level === 'silent' ? {} : { level: 'info' })

/** What whoever holds it may do: use a session, confirm a destructive call. */
const HANDLES = /(?:sess|confirm)_[0-9a-f]{32}/g

/** Of PostgreSQL's and the network's errors; nothing else of an error is written, whatever it carries. */
const FIELDS = ['code', 'severity', 'detail', 'schema', 'table', 'column', 'constraint', 'routine']

/** An error for the log: without a stack when it is what a client did wrong. */
function describeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  const { name, message, stack, cause } = error
  const isExpected = error instanceof AppError && error.code !== 'internal_error'
  const facts = FIELDS.map((field) => [field, Reflect.get(error, field)] as const)
  return {
    type: name,
    message,
    ...Object.fromEntries(facts.filter(([, value]) => value !== undefined)),
    ...(isExpected ? {} : { stack }),
    ...(cause === undefined ? {} : { cause: isExpected ? causeOf(cause) : describeError(cause) }),
  }
}

/** Why the client saw what it saw, in one line. */
const causeOf = (cause: unknown): unknown => {
  if (!(cause instanceof Error)) return String(cause)
  const { stack: _, ...facts } = Object(describeError(cause))
  return facts
}
