import { AppError } from '../../../errors.js'
import type { DirectSession } from '../direct.js'
import { sql } from '../sql.js'

/**
 * What decides how text is read, where names lead, whose rights count, and how long is waited, with the
 * value it gets for scripts; null where the run or the login decides.
 */
const PINNED_VALUES: Readonly<Record<string, string | null>> = {
  standard_conforming_strings: 'on',
  backslash_quote: 'safe_encoding',
  escape_string_warning: 'on',
  client_encoding: 'UTF8',
  array_nulls: 'on',
  transform_null_equals: 'off',
  quote_all_identifiers: 'off',
  search_path: 'public',
  check_function_bodies: 'on',
  row_security: 'on',
  datestyle: 'ISO, MDY',
  intervalstyle: 'postgres',
  track_counts: null,
  default_statistics_target: null,
  default_text_search_config: null,
  default_toast_compression: null,
  default_tablespace: '',
  default_table_access_method: 'heap',
  default_transaction_isolation: 'read committed',
  default_transaction_read_only: 'off',
  default_transaction_deferrable: 'off',
  session_replication_role: null,
  role: null,
  session_authorization: null,
  transaction_isolation: null,
  transaction_read_only: null,
  lock_timeout: null,
  statement_timeout: null,
  transaction_timeout: null,
  idle_in_transaction_session_timeout: null,
}

/** The settings that no statement of a script may change. */
export const PINNED: ReadonlySet<string> = new Set(Object.keys(PINNED_VALUES))

/** Brings the settings to what scripts are read with, whatever a role or database says. */
export const pinSettings = () =>
  sql.trusted(
    Object.entries(PINNED_VALUES)
      .flatMap(([name, value]) => (value === null ? [] : [`set ${name} to '${value}'`]))
      .join('; '),
  )

/** Functions by their full names and no operator: the script may have put others in their way. */
const look = () => sql<WireRow>`
  select
    pg_catalog.pg_current_xact_id()::pg_catalog.text as transaction_id,
    ${sql.trusted([...PINNED].map((name) => `pg_catalog.current_setting('${name}', true) as ${name}`).join(', '))}`

type WireRow = Readonly<Record<string, string | null>>

/**
 * Watches that one statement was one statement: after each of them the settings are what they were and
 * the transaction is the same.
 */
export class Wire {
  readonly #session: DirectSession
  readonly #before: WireRow

  private constructor(session: DirectSession, before: WireRow) {
    this.#session = session
    this.#before = before
  }

  /**
   * To be called inside the transaction, once its limits are set.
   *
   * @throws AppError `precondition_failed` where the server counts no rows
   */
  static async begin(session: DirectSession): Promise<Wire> {
    const [row = {}] = await session.many(look())
    if (row.track_counts === 'on') return new Wire(session, row)
    throw new AppError(
      'precondition_failed',
      'The server counts no rows, so what a migration does to them cannot be measured.',
      { hint: 'Let who runs the server set track_counts = on.' },
    )
  }

  /** The transaction's id. */
  get transactionId(): string {
    return this.#before.transaction_id ?? ''
  }

  /**
   * Looks after a statement.
   *
   * @throws AppError `precondition_failed` naming what it changed
   */
  async check(where: string): Promise<void> {
    const [now = {}] = await this.#session.many(look())
    if (now.transaction_id !== this.#before.transaction_id) {
      throw new AppError('precondition_failed', `${where} ended its transaction.`, {
        hint: 'Leave out what commits or rolls back: a file is one transaction.',
      })
    }
    const changed = [...PINNED].find((name) => now[name] !== this.#before[name])
    if (changed === undefined) return
    throw new AppError('precondition_failed', `${where} changed the setting ${changed}.`, {
      hint: 'Leave that out: write schema.name instead of a search_path, and "-- statement_timeout: 10min" at the top for more time.',
    })
  }
}
