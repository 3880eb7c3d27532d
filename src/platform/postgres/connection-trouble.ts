import type { AppError } from '../../errors.js'
import { type TlsPeer, type Trouble, tlsTrouble } from '../../lib/tls-trouble.js'

const URL = 'DATABASE_URL'

const PEER: TlsPeer = {
  name: 'PostgreSQL',
  url: URL,
  authority: `sslrootcert=<file> in ${URL}, or with PGSSLROOTCERT`,
  ownCertificate: `sslcert=<file> and sslkey=<file> in ${URL}`,
}

const NOBODY: Trouble = {
  cause: 'Nothing listens at the address of PostgreSQL.',
  fix: `Start PostgreSQL, or correct host and port in ${URL}.`,
}
const NO_WAY: Trouble = {
  cause: 'The host of PostgreSQL cannot be reached from this machine.',
  fix: `Look at the network and the firewalls between this machine and the host in ${URL}.`,
}
const NO_NAME: Trouble = {
  cause: 'The host name of PostgreSQL cannot be resolved.',
  fix: `Correct the host in ${URL}, or look at the name service of this machine.`,
}
const SILENT: Trouble = {
  cause: 'PostgreSQL does not answer.',
  fix: 'Look whether its server is frozen or overloaded, or a firewall drops what is sent to it.',
}
const NO_ACCESS: Trouble = {
  cause: 'The socket of PostgreSQL may not be opened by this user.',
  fix: `Run catalyst-db as a user who may, or connect over TCP: name a host in ${URL}.`,
}
const CUT: Trouble = {
  cause: 'The connection to PostgreSQL was cut.',
  fix: 'Look into the log of PostgreSQL for the reason.',
}
const NO_TLS: Trouble = {
  cause: `PostgreSQL does not speak TLS, which ${URL} asks for.`,
  fix: `Switch TLS on in PostgreSQL (ssl = on), or write sslmode=disable into ${URL} if the network between is your own.`,
}
const NO_PASSWORD: Trouble = {
  cause: 'PostgreSQL asks for a password and none is given.',
  fix: `Put the password into ${URL}, percent-encoded, or name a file that holds the URL with ${URL}_FILE.`,
}
const LOGIN: Trouble = {
  cause: 'PostgreSQL refused the login.',
  fix: `Correct user and password in ${URL}; the log of PostgreSQL says what it expected.`,
}
const PASSWORD: Trouble = {
  cause: `PostgreSQL refused the password in ${URL}.`,
  fix: `Correct the password in ${URL}, percent-encoded, or set it anew: alter role <role> password '…';`,
}
const ROLE: Trouble = {
  cause: `The role in ${URL} does not exist, or may not log in.`,
  fix: 'Create it, or run: alter role <role> login;',
}
const RULES: Trouble = {
  cause: 'pg_hba.conf of PostgreSQL does not let this role in from here.',
  fix: `Add a line for this role, database and address to pg_hba.conf and reload it; if it only takes TLS, write sslmode=verify-full into ${URL}, and sslcert=<file> and sslkey=<file> where it asks for a certificate of the client.`,
}
const NO_DATABASE: Trouble = {
  cause: `The database named in ${URL} does not exist.`,
  fix: `Create it, or correct the name in ${URL}.`,
}
const NO_CONNECT: Trouble = {
  cause: 'The role may not connect to this database.',
  fix: 'Run: grant connect on database <database> to <role>;',
}
const CLOSED: Trouble = {
  cause: 'The database takes no connections.',
  fix: 'Run: alter database <database> allow_connections true;',
}
const FULL: Trouble = {
  cause: 'PostgreSQL accepts no more connections.',
  fix: 'End connections that nobody needs, lower CATALYST_POOL_MAX, or raise max_connections (or the limit of the role or the database).',
}
/** What is said of a full disk. */
export const DISK_FULL: Trouble = {
  cause: 'The disk of PostgreSQL is full: what needs new space cannot be written.',
  fix: 'Free space on the server of the database, or enlarge its disk.',
}
const STARTING: Trouble = {
  cause: 'PostgreSQL is starting up or recovering.',
  fix: 'Wait until it is done; its log says how far it is.',
}
const STOPPING: Trouble = {
  cause: 'PostgreSQL is shutting down.',
  fix: 'Start it again when its maintenance is over.',
}
const CRASHED: Trouble = {
  cause: 'PostgreSQL restarts after a crash.',
  fix: 'Look into its log for the reason.',
}
const POOLER: Trouble = {
  cause: 'The connection pooler refused the connection, or has lost its server.',
  fix: `Look into the log of the pooler: whether it knows the database and the user of ${URL}, and reaches PostgreSQL.`,
}
const SILENT_POOLER: Trouble = {
  cause: 'The connection pooler does not answer.',
  fix: POOLER.fix,
}
const STATEMENTS: Trouble = {
  cause: `The connection pooler in ${URL} gives a connection to single statements only (statement mode): it refuses transactions, and every call is one.`,
  fix: `Set pool_mode = transaction for this database in the pooler, or point ${URL} at the database itself.`,
}

/** Codes of the operating system and of name resolution, as Node passes them on. */
const NETWORK: Readonly<Record<string, Trouble>> = {
  ECONNREFUSED: NOBODY,
  ENOENT: NOBODY,
  EHOSTUNREACH: NO_WAY,
  ENETUNREACH: NO_WAY,
  EHOSTDOWN: NO_WAY,
  ENETDOWN: NO_WAY,
  EADDRNOTAVAIL: NO_WAY,
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  EAI_FAIL: NO_NAME,
  ETIMEDOUT: SILENT,
  EACCES: NO_ACCESS,
  EPERM: NO_ACCESS,
  ECONNRESET: CUT,
  ECONNABORTED: CUT,
  EPIPE: CUT,
}

/** The driver gives no codes to what it finds by itself. */
const TEXTS: readonly (readonly [RegExp, Trouble])[] = [
  [/does not support SSL connections|error establishing an SSL connection/, NO_TLS],
  [/^SASL: .*client password must be/, NO_PASSWORD],
  [/^SASL/, LOGIN],
  [/timeout expired|query read timeout|timeout exceeded when trying to connect/i, SILENT],
  [/connection terminated|connection error|not queryable|client was closed/i, CUT],
]

const LOGINS: Readonly<Record<string, Trouble>> = {
  '08': CUT,
  '28P01': PASSWORD,
  '28': LOGIN,
  '3D000': NO_DATABASE,
  '53100': DISK_FULL,
  '53300': FULL,
  '57P01': STOPPING,
  '57P02': CRASHED,
  '57P03': STARTING,
  '57P04': NO_DATABASE,
  '57P05': CUT,
}

/**
 * Where in PostgreSQL a login fails: unlike its texts, the name of the function is not translated.
 * https://www.postgresql.org/docs/current/protocol-error-fields.html
 */
const ROUTINES: Readonly<Record<string, Readonly<Record<string, Trouble>>>> = {
  InitializeSessionUserId: { '28000': ROLE },
  ClientAuthentication: { '28000': RULES },
  CheckMyDatabase: { '42501': NO_CONNECT, '55000': CLOSED },
  // Every session may have to write the caches that all begin with; why it cannot is not always said.
  write_item: { XX000: DISK_FULL },
  write_relcache_init_file: { XX000: DISK_FULL },
}

/** What keeps us from PostgreSQL, if that is what an error of the driver is about; else null. */
export function connectionTrouble(error: unknown): Trouble | null {
  if (!(error instanceof Error)) return null
  const code = field(error, 'code')
  if (field(error, 'severity') !== '') return loginTrouble(error, code)
  const known = NETWORK[code] ?? tlsTrouble(error, PEER)
  return known ?? TEXTS.find(([pattern]) => pattern.test(error.message))?.[1] ?? null
}

/**
 * The same of an error that was translated for clients; one without a known cause says what it says.
 * `setting` is what names the endpoint that was tried.
 */
export function troubleOf(error: AppError, setting = URL): Trouble {
  const known = connectionTrouble(error.cause)
  const { cause, fix } = known ?? { cause: error.message, fix: error.hint ?? '' }
  return { cause: cause.replaceAll(URL, setting), fix: fix.replaceAll(URL, setting) }
}

/**
 * The same where a pooler stands between: one whose server refused its login makes those who come
 * after wait instead of telling them (PgBouncer's `server_login_retry`).
 */
export function poolerTroubleOf(error: AppError): Trouble {
  return connectionTrouble(error.cause) === SILENT ? SILENT_POOLER : troubleOf(error)
}

/** A pooler has ended the connection because a transaction was asked for. */
export const refusesTransactions = (error: unknown): boolean =>
  connectionTrouble(error) === STATEMENTS

function loginTrouble(error: Error, state: string): Trouble | null {
  const routine = field(error, 'routine')
  // PostgreSQL always says where; a pooler speaks for itself.
  if (state === '08P01' && routine === '') {
    return /statement pooling mode/.test(error.message) ? STATEMENTS : POOLER
  }
  if (state === '57P03' && /shutting down/.test(error.message)) return STOPPING
  const known = ROUTINES[routine]?.[state] ?? LOGINS[state] ?? LOGINS[state.slice(0, 2)]
  return known ?? null
}

function field(error: Error, name: string): string {
  const value: unknown = Reflect.get(error, name)
  return typeof value === 'string' ? value : ''
}
