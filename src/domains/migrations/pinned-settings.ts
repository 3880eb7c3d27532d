/**
 * What decides how text is read, where names lead, whose rights count, and how long is waited, with the
 * value it gets for scripts; null where the run or the login decides.
 */
export const PINNED_VALUES: Readonly<Record<string, string | null>> = {
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
export const PINNED: readonly string[] = Object.keys(PINNED_VALUES)
