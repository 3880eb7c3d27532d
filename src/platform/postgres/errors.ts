import { AppError, type ErrorCode, LackingCharacter } from '../../errors.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import { connectionTrouble } from './connection-trouble.js'

interface Meaning {
  readonly code: ErrorCode
  readonly message: string
  readonly hint?: string
  /** As of an AppError; empty where nothing has to be mended. */
  readonly fix?: string
  readonly retryable?: boolean
}

const UNAVAILABLE: Meaning = {
  code: 'unavailable',
  message: 'PostgreSQL cannot be reached.',
  hint: 'Nothing was written. Send the same call again in a few seconds; read catalyst://db/status to see when the database is back.',
  fix: 'Run "catalyst-db doctor": it says what keeps it away.',
}

const READ_ONLY_SERVER: Meaning = {
  code: 'unavailable',
  message: 'The database answers reads only at the moment; nothing was written.',
  hint: 'A failover or maintenance may be under way. Send the same call again in a few seconds.',
  fix: 'A failover or maintenance may be under way; "catalyst-db doctor" says whether it is over.',
}

const SCHEMA_NOT_READY: Meaning = {
  code: 'unavailable',
  message: 'The tables of this database are not what this version of the server needs.',
  hint: 'Migrations run when the server starts: read catalyst://db/status for schema_version and its reasons.',
  fix: 'A server applies the migrations of its version when it starts; "catalyst-db status" says whether they are.',
}

/**
 * What an SQLSTATE means to a client: the longest matching prefix wins. Classes are those of
 * https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  '22': { code: 'invalid_input', message: 'PostgreSQL refused a value.' },
  '23': {
    code: 'integrity_violation',
    message: 'The write contradicts a rule of the stored data, so nothing was written.',
  },
  '25006': READ_ONLY_SERVER,
  '25P02': {
    code: 'precondition_failed',
    message: 'The transaction has already failed.',
    hint: 'Roll it back and start again.',
  },
  '25P03': {
    code: 'session_lost',
    message: 'The transaction was idle for too long; the work was rolled back.',
    hint: 'Start a new session and repeat the work.',
    fix: '',
  },
  '3F000': SCHEMA_NOT_READY,
  '42P01': SCHEMA_NOT_READY,
  '42703': SCHEMA_NOT_READY,
  '40': {
    code: 'conflict',
    message: 'Another transaction changed the same rows first; nothing was written.',
    hint: 'Send the same call again.',
    fix: '',
    retryable: true,
  },
  '42501': {
    code: 'permission_denied',
    message: 'The database role of this server lacks a right it needs.',
    hint: 'Run "catalyst-db doctor": it names the missing right.',
  },
  '53': {
    code: 'unavailable',
    message: 'PostgreSQL is out of a resource.',
    hint: 'Read catalyst://db/status. Nothing was written; send the same call again later.',
    fix: 'Look into the log of PostgreSQL for what it lacks.',
  },
  '54': { code: 'invalid_input', message: 'A value is too complex for PostgreSQL.' },
  '55P03': {
    code: 'conflict',
    message: 'Another transaction holds what this call needs and did not finish in time.',
    hint: 'Send the same call again; read catalyst://db/performance/connections to see who is busy.',
    fix: 'Let those who hold it finish: pg_stat_activity shows them.',
    retryable: true,
  },
  '57': UNAVAILABLE,
  '57014': { code: 'timeout', message: 'The statement ran longer than its limit and was stopped.' },
  '58': UNAVAILABLE,
}

/** The five-character SQLSTATE of an error raised by PostgreSQL, or null. */
export function sqlState(error: unknown): string | null {
  const code = property(error, 'code')
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && property(error, 'severity')
    ? code
    : null
}

/** True when the connection itself is gone or was never made, so nothing is known of its last statement. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error)
  if (state) return /^(08|57P0[1-5])/.test(state) || state === '25P03' || state === '53300'
  return connectionTrouble(error) !== null
}

/**
 * The connection went away before its transaction could commit: PostgreSQL has rolled it back, so
 * running it again cannot do anything twice.
 */
export class LostConnection extends AppError {
  constructor(cause: unknown) {
    super('unavailable', 'The connection to PostgreSQL was lost; nothing was written.', {
      hint: 'Send the same call again; read catalyst://db/status to see whether the database is back.',
      fix: 'Look into the log of PostgreSQL for the reason.',
      cause,
    })
  }
}

/** A server that was to write said that it only reads. */
export const isReadOnlyServer = (error: unknown): boolean => sqlState(error) === '25006'

/** A serialization failure or deadlock: the whole transaction may be run again. */
export const isSerializationFailure = (error: unknown): boolean =>
  /^40/.test(innerState(error) ?? '')

/** A lock that was not free within `lock_timeout`. */
export const isLockTimeout = (error: unknown): boolean => innerState(error) === '55P03'

const innerState = (error: unknown): string | null =>
  sqlState(error) ?? sqlState(property(error, 'cause'))

/** A statement asked for what the schema does not have. */
export const isSchemaMismatch = (error: unknown): boolean =>
  /^(3F000|42(?!501))/.test(innerState(error) ?? '')

/** A row whose unique key another row has. */
export const isDuplicateKey = (error: unknown): boolean => sqlState(error) === '23505'

/**
 * The client's view of an error from the driver. The driver's own text stays in `cause`, which only
 * the log shows. Errors that are not PostgreSQL's are returned as they are.
 */
export function translate(error: unknown): unknown {
  if (error instanceof AppError) return error
  if (sqlState(error) === '22P05') return lackingCharacter(error)
  const meaning = isPoolExhausted(error) ? POOL_EXHAUSTED : meaningOf(error)
  return meaning ? toAppError(meaning, error) : error
}

/** A text has a character that the encoding of the database lacks; the message tells it in UTF-8. */
function lackingCharacter(error: unknown): LackingCharacter {
  const [bytes = ''] =
    /(?:0x[0-9a-f]{2}\s*)+/.exec(error instanceof Error ? error.message : '') ?? []
  const character = Buffer.from(bytes.replaceAll(/0x|\s/g, ''), 'hex').toString()
  return new LackingCharacter(character, error)
}

function toAppError({ code, message, hint, fix, retryable }: Meaning, cause: unknown): AppError {
  return new AppError(code, message, {
    cause,
    ...(hint === undefined ? {} : { hint }),
    ...(fix === undefined ? {} : { fix }),
    ...(retryable === undefined ? {} : { retryable }),
  })
}

/** What cannot be done where `DATABASE_URL` leads to a pooler and nothing to the database itself. */
export const behindPooler = (): AppError =>
  new AppError(
    'unavailable',
    'PostgreSQL is reached through a connection pooler only: set DATABASE_DIRECT_URL to the database itself.',
    {
      hint: 'Sessions, migrations, jobs and events need a connection that stays the same (on DigitalOcean: the port of the cluster, not of the pool). Restart catalyst-db then.',
      retryable: false,
    },
  )

/** The client's view of a connection that could not be made, whatever kept it from that. */
export const unreachable = (error: unknown): AppError =>
  error instanceof AppError ? error : toAppError(meaningOfRefusal(error), error)

/** Until there is a connection, nothing that goes wrong is about a statement. */
function meaningOfRefusal(error: unknown): Meaning {
  const meaning = isPoolExhausted(error) ? POOL_EXHAUSTED : meaningOf(error)
  return meaning?.code === 'unavailable' ? meaning : UNAVAILABLE
}

const toMeaning = ({ cause, fix }: Trouble): Meaning => ({
  code: 'unavailable',
  message: cause,
  hint: `Nothing was written. ${fix} Then send the same call again; catalyst://db/status says when the database is back.`,
  fix,
})

/** The client's view of a server that does not write. */
export const readOnlyServer = (cause: unknown): AppError => toAppError(READ_ONLY_SERVER, cause)

const POOL_EXHAUSTED: Meaning = {
  code: 'unavailable',
  message: 'Every database connection of this server is busy.',
  hint: 'Send the same call again; read catalyst://db/performance/connections to see what holds them.',
  fix: 'Raise CATALYST_POOL_MAX, or let what holds them finish.',
}

/** Set on the driver's error by the pool when no connection became free in time. */
export const isPoolExhausted = (error: unknown): boolean =>
  error instanceof Error && error.message === 'timeout exceeded when trying to connect'

function meaningOf(error: unknown): Meaning | undefined {
  const trouble = connectionTrouble(error)
  if (trouble) return toMeaning(trouble)
  const state = sqlState(error)
  if (!state) return undefined
  for (let length = 5; length >= 2; length--) {
    const meaning = MEANINGS[state.slice(0, length)]
    if (meaning) return meaning
  }
  return undefined
}

const property = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined
