import { AppError } from '../../errors.js'
import { type TlsPeer, tlsTrouble } from '../../lib/tls-trouble.js'

interface Meaning {
  readonly message: string
  readonly hint?: string
  readonly retryable?: boolean
}

const DOCTOR = 'Run "catalyst-db doctor": it names what to change in REDIS_URL.'

/** Error replies by their first word: https://redis.io/docs/latest/develop/reference/protocol-spec/ */
const REPLIES: Readonly<Record<string, Meaning>> = {
  LOADING: { message: 'Redis is loading its data into memory.' },
  MASTERDOWN: { message: 'Redis has lost its primary server.' },
  READONLY: {
    message: 'Redis answers reads only, as a replica does.',
    hint: 'Point REDIS_URL at the primary. The database is not affected.',
  },
  OOM: {
    message: 'Redis is out of memory and evicts nothing.',
    hint: 'Raise its maxmemory or set an eviction policy; read catalyst://cache/stats.',
  },
  MISCONF: { message: 'Redis refuses writes because it cannot save its data.' },
  CLUSTERDOWN: { message: 'A part of the Redis Cluster is missing.' },
  TRYAGAIN: { message: 'The Redis Cluster is moving this key.' },
  BUSY: { message: 'Redis is busy with a script.' },
  NOAUTH: { message: 'Redis asks for a password.', hint: DOCTOR, retryable: false },
  WRONGPASS: { message: 'Redis refused the login.', hint: DOCTOR, retryable: false },
}

/** The server names the command; a key it does not name. */
function withoutRight(error: Error): Meaning {
  const command = /'([a-z|]+)'/i.exec(error.message)?.[1]
  const what = command ? `to run ${command.toUpperCase()}` : 'to keys that begin with catalyst:'
  const hint = `Run: acl setuser <user> ~catalyst:* ~catalyst-index:* +@read +@write +@connection +multi +exec +info +scan. The database is not affected.`
  return { message: `The Redis user lacks the right ${what}.`, hint, retryable: false }
}

const NOBODY_THERE = { message: 'Nothing listens at the address of the cache.' }
const UNKNOWN_HOST = { message: 'The host name of the cache cannot be resolved.' }
const SILENT = { message: 'Redis did not answer in time.' }
/** Whoever shows no certificate often sees nothing but this: the refusal comes when TLS stands already. */
const CUT: Meaning = {
  message: 'Redis cut the connection.',
  hint: 'Where it uses TLS it may ask for a certificate of this client: set cert=<file> and key=<file> in REDIS_URL, then restart catalyst-db.',
}

const NETWORK: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: NOBODY_THERE,
  ENOENT: NOBODY_THERE,
  EHOSTUNREACH: NOBODY_THERE,
  ENETUNREACH: NOBODY_THERE,
  ENOTFOUND: UNKNOWN_HOST,
  EAI_AGAIN: UNKNOWN_HOST,
  ETIMEDOUT: SILENT,
  ECONNRESET: CUT,
  EPIPE: CUT,
  EACCES: { message: 'The socket of the cache may not be opened by this user.' },
}

const FULL: Meaning = { message: 'Redis accepts no more connections.' }
const TLS_PEER: TlsPeer = {
  name: 'Redis',
  url: 'REDIS_URL',
  authority: 'ca=<file> in REDIS_URL',
  ownCertificate: 'cert=<file> and key=<file> in REDIS_URL',
}
const NO_SENTINEL: Meaning = {
  message: 'No Sentinel knows the primary of the cache.',
  hint: DOCTOR,
}
const LOST: Meaning = { message: 'There is no connection to Redis.' }

const HINT =
  'The database is not affected. Read catalyst://cache/stats to see when the cache is back.'

/** A cluster of which a part does not answer, in the words of those parts that do. */
export class IncompleteCluster extends Error {
  override readonly name = 'ReplyError'

  constructor() {
    super('CLUSTERDOWN')
  }
}

/** True when the server has answered, if only to refuse. */
export const isReply = (error: unknown): error is Error =>
  error instanceof Error && error.name === 'ReplyError'

/** True while a server that has just started answers nothing else. */
export const isLoading = (error: unknown): boolean => replyCode(error) === 'LOADING'

/**
 * The client's view of an error from the driver, whose own text (addresses, keys) stays in `cause`.
 * Without a connection the driver only says so; `knownReason` is why there is none. A reply that says
 * we used Redis wrongly is returned as it is: it is our fault, not an outage.
 */
export function translate(error: unknown, knownReason: string | null): unknown {
  const meaning = meaningOf(error)
  if (!meaning) return error
  const { hint = HINT, retryable = true } = meaning
  const message = meaning === LOST && knownReason !== null ? knownReason : meaning.message
  return new AppError('unavailable', message, { hint, retryable, cause: error })
}

/** True when the cache refused a value because it has no memory for it. */
export const isOutOfMemory = (error: unknown): boolean =>
  replyCode(error instanceof AppError ? error.cause : error) === 'OOM'

/** Why the cache cannot be used and, where it is not plain, what to do, in words for clients. */
export function reasonOf(error: unknown): string {
  const { message, hint } = meaningOf(error) ?? LOST
  return hint === undefined || hint === DOCTOR ? message : `${message} ${hint}`
}

function meaningOf(error: unknown): Meaning | undefined {
  if (!(error instanceof Error)) return undefined
  const reply = replyCode(error)
  if (reply === 'ERR') return /max number of clients/i.test(error.message) ? FULL : undefined
  if (reply === 'NOPERM') return withoutRight(error)
  if (reply !== null) return REPLIES[reply]
  return NETWORK[networkCode(error)] ?? meaningOfText(error)
}

/** The driver gives neither codes nor classes to its own timeouts. */
function meaningOfText(error: Error): Meaning {
  if (/^All sentinels/.test(error.message)) return NO_SENTINEL
  if (/timed out|timeout/i.test(error.message)) return SILENT
  const trouble = tlsTrouble(error, TLS_PEER)
  return trouble ? { message: trouble.cause, hint: trouble.fix } : LOST
}

function replyCode(error: unknown): string | null {
  if (!isReply(error)) return null
  // A transaction that was not run says only that; one of its commands was told why.
  const causes = asList(Reflect.get(error, 'previousErrors')).map(replyCode)
  return causes.find((code) => code !== null) ?? /^[A-Z]+/.exec(error.message)?.[0] ?? null
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : [])

const networkCode = (error: Error): string => {
  const code: unknown = Reflect.get(error, 'code')
  return typeof code === 'string' ? code : ''
}
