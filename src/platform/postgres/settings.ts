import { OF_MACHINERY } from './sql.js'

/** What a connection is, as far as it decides what has to be set on it. */
export interface ConnectionKind {
  /** A pooler stands between: the next transaction may run on another connection to the server. */
  readonly is_pooled: boolean
  /** The role's commits would not wait for the disk. */
  readonly is_asynchronous: boolean
  /** Such as 150018. */
  readonly version: number
}

/** SQL's isolation levels that PostgreSQL tells apart. */
export type IsolationLevel = 'read committed' | 'repeatable read' | 'serializable'

/** How one transaction is to run. */
export interface TransactionMode {
  readonly isolation?: IsolationLevel
  readonly readOnly?: boolean
  /** Longest run of one statement, in milliseconds. */
  readonly statementTimeoutMs?: number
  /** Longest wait for a lock, in milliseconds. */
  readonly lockTimeoutMs?: number
  /** How long PostgreSQL lets the transaction wait for its next statement, in milliseconds. */
  readonly idleTimeoutMs?: number
}

const STATEMENT_TIMEOUT_MS = 30_000
const LOCK_TIMEOUT_MS = 5_000
/** Shorter than the patience with a silent connection: its locks are free when its work is repeated. */
const IDLE_IN_TRANSACTION_MS = 30_000
/** Whether commits wait for the disk; where they do, how far they wait for standbys is the operator's. */
const DURABILITY = 'synchronous_commit'
/** The release that brought `transaction_timeout`. */
const HAS_TRANSACTION_TIMEOUT = 170_000

/** What the statements of this server read, write and mean by it, whatever the role's defaults say. */
const MEANINGS = {
  timezone: 'UTC',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  extra_float_digits: '1',
  bytea_output: 'hex',
  standard_conforming_strings: 'on',
  array_nulls: 'on',
  // A dump and the log are read where the database's own defaults are others.
  lc_monetary: 'C',
  quote_all_identifiers: 'off',
  // What has no schema in its name is PostgreSQL's own: nothing may be named to stand before that.
  search_path: 'public',
  // Errors that are expected must not end the connection.
  exit_on_error: 'off',
  // That no standby has confirmed a commit is told by a warning.
  client_min_messages: 'notice',
} as const

/** What is set besides on a connection that is ours alone. */
const CONNECTION = {
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  statement_timeout: '0',
  lock_timeout: '0',
  idle_in_transaction_session_timeout: '0',
  idle_session_timeout: '0',
  transaction_timeout: '0',
} as const

/** Settings of one connection, by name. */
export type ConnectionSettings = Readonly<Record<string, string>>

/** Every setting that a default of the role, the database or the environment cannot change here. */
export const OWN_SETTINGS: ConnectionSettings = {
  ...MEANINGS,
  ...CONNECTION,
  [DURABILITY]: 'on',
}

/**
 * Sets what a connection needs for all of its life, unless a pooler stands between: what is set there
 * stays on a server connection that other applications use next. Settings that the server does not
 * know are left out. `processId` is what the server, or the pooler, gave out at the start.
 */
export function settleText(processId: number, settings: ConnectionSettings = {}): string {
  const wanted = Object.entries({ ...MEANINGS, ...CONNECTION, ...settings })
  const rows = wanted.map(([name, value]) => `('${name}', '${value}')`).join(', ')
  return `
    select ${OF_MACHINERY} set_config(name, value, false)
    from (values ${rows}, ('${DURABILITY}', 'on')) as own (name, value)
    where pg_backend_pid() = ${processId}
      and current_setting(name, true) is not null
      and (name <> '${DURABILITY}' or current_setting(name) = 'off')`
}

/**
 * Opens a transaction with its limits, in one round trip. On a connection through a pooler all else
 * is set with it as well, for the transaction only: anything longer would leak into the sessions of
 * other applications. Of a connection about which nothing is known yet (null) as little is expected.
 */
export function beginText(mode: TransactionMode, kind: ConnectionKind | null): string {
  const isolation = mode.isolation ?? 'read committed'
  const access = mode.readOnly ? 'read only' : 'read write'
  const isOwn = kind !== null && !kind.is_pooled
  const settings = {
    statement_timeout: mode.statementTimeoutMs ?? STATEMENT_TIMEOUT_MS,
    lock_timeout: mode.lockTimeoutMs ?? LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: mode.idleTimeoutMs ?? IDLE_IN_TRANSACTION_MS,
    ...(isOwn ? {} : MEANINGS),
    ...(!isOwn && kind?.is_asynchronous ? { [DURABILITY]: 'on' } : {}),
    ...(!isOwn && (kind?.version ?? 0) >= HAS_TRANSACTION_TIMEOUT
      ? { transaction_timeout: 0 }
      : {}),
  }
  return [
    `begin isolation level ${isolation} ${access}, not deferrable`,
    ...Object.entries(settings).map(([name, value]) => `set local ${name} = '${value}'`),
  ].join('; ')
}
