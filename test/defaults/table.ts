import type { TestDatabase } from '../support/database.js'

/** Settings that a role or a database may give to its sessions, each with a value that is unlike ours. */
export const DEFAULTS: readonly (readonly [name: string, value: string])[] = [
  ['default_transaction_read_only', 'on'],
  ['default_transaction_isolation', 'repeatable read'],
  ['default_transaction_isolation', 'serializable'],
  ['default_transaction_deferrable', 'on'],
  ['statement_timeout', '50ms'],
  ['lock_timeout', '1ms'],
  ['idle_in_transaction_session_timeout', '50ms'],
  ['idle_session_timeout', '50ms'],
  ['transaction_timeout', '50ms'],
  ['timezone', 'Asia/Kathmandu'],
  ['datestyle', 'German, DMY'],
  ['datestyle', 'SQL, DMY'],
  ['intervalstyle', 'iso_8601'],
  ['extra_float_digits', '-15'],
  ['bytea_output', 'escape'],
  ['search_path', 'elsewhere, pg_catalog'],
  ['client_encoding', 'LATIN1'],
  ['standard_conforming_strings', 'off'],
  ['backslash_quote', 'off'],
  ['array_nulls', 'off'],
  ['transform_null_equals', 'on'],
  ['row_security', 'off'],
  ['exit_on_error', 'on'],
  ['client_min_messages', 'error'],
  ['synchronous_commit', 'off'],
  ['quote_all_identifiers', 'on'],
  ['plan_cache_mode', 'force_generic_plan'],
  ['enable_indexscan', 'off'],
  ['enable_seqscan', 'off'],
  ['enable_hashjoin', 'off'],
  ['enable_partition_pruning', 'off'],
  ['jit', 'off'],
  ['work_mem', '64kB'],
  ['default_statistics_target', '1'],
  ['xmloption', 'document'],
]

/** Those that this PostgreSQL knows; the older do not know all. */
export async function knownDefaults(database: TestDatabase) {
  const names = await database.query<{ name: string }>(
    'select lower(name) as name from pg_settings',
  )
  const known = new Set(names.map(({ name }) => name))
  return DEFAULTS.filter(([name]) => known.has(name))
}

/** Gives a setting to every new session, through the database or through the role in it. */
export async function setDefault(
  database: TestDatabase,
  [name, value]: readonly [string, string],
  by: 'database' | 'role',
): Promise<void> {
  const whose =
    by === 'database'
      ? `database ${database.name}`
      : `role catalyst_owner in database ${database.name}`
  const isList = name === 'search_path' || name === 'datestyle'
  const text = `alter ${whose} set ${name} = ${isList ? value : `'${value}'`}`
  // Names of no extension are a superuser's to set.
  if (name.includes('.')) await database.asSuperuser(text)
  else await database.query(text)
}
