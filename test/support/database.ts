import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { exactTypes } from '../../src/platform/postgres/types.js'
import { endsWithFile } from './end-of-file.js'
import { asBootstrap, TEMPLATE, withDatabase } from './services.js'

/** A database of its own for one test file, with a way to look into it past the product. */
export interface TestDatabase {
  readonly url: string
  readonly name: string
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>
  /** The same as the superuser that the product does not use, for what only a fault could do. */
  asSuperuser(text: string): Promise<void>
  drop(): Promise<void>
}

/** Copies the migrated template (tens of milliseconds), or makes an empty database. */
export async function createDatabase(
  options: {
    empty?: boolean /** Of `create database`, for an empty one. */
    options?: string
  } = {},
): Promise<TestDatabase> {
  const server = inject('postgresUrl')
  const name = `test_${randomBytes(6).toString('hex')}`
  const template = options.empty ? 'template0' : TEMPLATE
  await onServer(server, `create database ${name} template ${template} ${options.options ?? ''}`)
  const url = withDatabase(server, name)
  const pool = new pg.Pool({ connectionString: url, max: 2, types: exactTypes })
  pool.on('error', () => {})
  const drop = endsWithFile(async () => {
    await pool.end()
    await onServer(asBootstrap(url), FORGET_STATEMENTS)
    // A database that has a slot cannot be dropped, and the slot would keep WAL for good.
    await onServer(asBootstrap(server), dropSlotsText(name))
    // A pooler may be there as the superuser, whom nobody else may send away.
    await onServer(asBootstrap(server), `drop database ${name} with (force)`)
  })
  return {
    url,
    name,
    query: async (text, values) => (await pool.query(text, values)).rows,
    asSuperuser: (text) => onServer(asBootstrap(url), text),
    drop,
  }
}

/** Statements of databases that are gone would push out those that a test looks for. */
const FORGET_STATEMENTS = `
  do $$
  begin
    if to_regclass('pg_stat_statements') is not null then
      perform pg_stat_statements_reset(0, oid, 0) from pg_database where datname = current_database();
    end if;
  end $$`

/** Ends whoever receives from a slot of a database, and drops all of them. */
const dropSlotsText = (database: string): string => `
  do $$
  begin
    while exists (select from pg_replication_slots where database = '${database}') loop
      perform pg_terminate_backend(active_pid) from pg_replication_slots
      where database = '${database}' and active;
      perform pg_drop_replication_slot(slot_name) from pg_replication_slots
      where database = '${database}' and not active;
      perform pg_sleep(0.02);
    end loop;
  end $$`

async function onServer(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
