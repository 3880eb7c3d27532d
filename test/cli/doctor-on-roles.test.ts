import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../failures/serving.js'
import { runCommand } from '../support/cli.js'
import { ExternalServer } from '../support/external-server.js'

const server = await ExternalServer.start()

/** What the doctor says of the roles, of a database as a role. */
async function verdict(database: string, login: string, env: Record<string, string> = {}) {
  const { stdout } = await runCommand(['doctor', '--json'], {
    DATABASE_URL: server.url(database, login),
    ...env,
  })
  const { findings } = JSON.parse(stdout)
  return findings.find(({ check }: { check: string }) => check === 'Migrations over MCP')
}

const roles = () => server.query(`select rolname from pg_roles where rolname ~ '^catalyst_'`)

test('before the roles are there it says who makes them, or which lines do, and makes none', async () => {
  await server.query('create role plain login; create role maker login createrole')
  await server.query('create database plain_one owner plain')
  await server.query('create database made_one owner maker')
  expect(await verdict('made_one', 'maker')).toEqual({
    check: 'Migrations over MCP',
    status: 'ok',
    detail: 'role catalyst_migrator is made when a server starts',
    fix: null,
  })
  const { status, detail, fix } = await verdict('plain_one', 'plain')
  expect({ status, detail }).toEqual({
    status: 'warning',
    detail: 'refused: role plain may not prepare the role catalyst_migrator, which they run as',
  })
  expect(fix).toContain(`\ncreate role catalyst_migrator login password '<password>';\n`)
  expect(fix).toContain('\ngrant usage, create on schema public to catalyst_migrator;\n')
  expect(fix).toContain(
    '\nThen set CATALYST_MIGRATOR_URL=postgresql://catalyst_migrator:<password>@',
  )
  const table = await runCommand(['doctor'], { DATABASE_URL: server.url('plain_one', 'plain') })
  expect(table.code).toBe(7)
  expect(table.stdout).toMatch(/^ {4}create role catalyst_migrator login password '<password>';$/m)
  expect(await verdict('plain_one', 'postgres')).toMatchObject({
    status: 'warning',
    detail: expect.stringContaining('(postgres) is a superuser'),
  })
  expect(await roles()).toEqual([])
})

test('once they are there it says so, and of each power that somebody has granted the line that takes it away', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'catalyst-doctor-'))
  const served = await open(server.url('made_one', 'maker'), { CATALYST_MIGRATIONS_DIR: directory })
  const client = await served.connect()
  expect(await verdict('made_one', 'maker')).toMatchObject({
    status: 'ok',
    detail: 'they run as role catalyst_migrator',
  })
  await client.tool('create_migration', {
    name: 'nothing_much',
    up_sql: 'create table public.thing (id int)',
    down_sql: '',
  })
  const granted: readonly (readonly [string, string])[] = [
    ['alter role catalyst_migrator createrole', 'alter role catalyst_migrator nocreaterole;'],
    ['alter role catalyst_migrator bypassrls', 'alter role catalyst_migrator nobypassrls;'],
    ['alter role catalyst_migrator superuser', 'alter role catalyst_migrator nosuperuser;'],
    ['grant pg_read_server_files to catalyst_migrator', 'revoke pg_read_server_files from'],
    [
      'grant pg_execute_server_program to catalyst_migrator',
      'revoke pg_execute_server_program from',
    ],
    ['grant pg_write_all_data to catalyst_migrator', 'revoke pg_write_all_data from'],
    [
      'create role middle; grant pg_read_all_data to middle; grant middle to catalyst_migrator',
      'revoke middle from catalyst_migrator',
    ],
    ['grant usage on schema catalyst to catalyst_migrator', 'revoke usage on schema catalyst from'],
    ['grant usage on schema catalyst to public', 'revoke usage on schema catalyst from public;'],
    [
      'grant insert on catalyst.schema_migrations to catalyst_migrator',
      'revoke all on all tables in schema catalyst from catalyst_migrator;',
    ],
    [
      'alter table catalyst.idempotency_keys owner to catalyst_migrator',
      'alter table catalyst.idempotency_keys owner to maker;',
    ],
    [
      'grant execute on function pg_read_file(text) to catalyst_migrator',
      'revoke execute on function pg_read_file(text) from catalyst_migrator;',
    ],
    [
      'alter database made_one owner to catalyst_migrator',
      'alter database made_one owner to maker;',
    ],
  ]
  for (const [grant, line] of granted) {
    await server.query(grant, 'made_one')
    const { status, fix } = await verdict('made_one', 'maker')
    expect(status).toBe('problem')
    expect(fix).toContain(line)
    const { code, hint } = await client.refused('run_migrations')
    expect(code).toBe('permission_denied')
    expect(hint).toContain(line)
    // What is told is what takes it away.
    for (const mend of fix.match(/^(alter|revoke) .*;$/gm)) await server.query(mend, 'made_one')
  }
  expect(await verdict('made_one', 'maker')).toMatchObject({ status: 'ok' })
  expect((await client.tool('run_migrations')).new_version).toBe(1000)
  await served.close()
  rmSync(directory, { recursive: true })
})
