import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { open, serve } from '../failures/serving.js'
import { ExternalServer } from '../support/external-server.js'

const server = await ExternalServer.start()

/** The folder of migrations of one server. */
function folder(): Record<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'catalyst-roles-'))
  afterAll(() => rmSync(directory, { recursive: true, force: true }))
  return { CATALYST_MIGRATIONS_DIR: directory }
}

const rolesOf = async () =>
  (
    await server.query<{ rolname: string }>(
      `select rolname from pg_roles where rolname ~ '^catalyst_' order by 1`,
    )
  ).map(({ rolname }) => rolname)

/** Forgets what earlier tests have made, as if the server were new. */
async function withoutRoles(): Promise<void> {
  for (const role of await rolesOf()) {
    const databases = await server.query<{ datname: string }>(
      'select datname from pg_database where datallowconn',
    )
    for (const { datname } of databases) {
      await server.query(`reassign owned by ${role} to postgres; drop owned by ${role}`, datname)
    }
    await server.query(`drop role ${role}`)
  }
}

async function database(name: string, owner: string): Promise<string> {
  await server.query(`create database ${name} owner ${owner}`)
  return name
}

const makesTable = (name: string) => ({
  name: `add_${name}`,
  up_sql: `create table public.${name} (id int primary key)`,
  down_sql: `drop table public.${name}`,
})

const SQL_LINE = /^(create|grant|alter|revoke) .*;$/gm

test('a role that may create roles makes them when a server starts, several at once, and runs migrations as one', async () => {
  await withoutRoles()
  await server.query('create role maker login createrole')
  const [one, two] = [await database('made_one', 'maker'), await database('made_two', 'maker')]
  const folders = [folder(), folder()]
  const served = await Promise.all(
    [one, one, two, two].map((name, at) =>
      serve(server.url(name, 'maker'), folders[at < 2 ? 0 : 1] ?? {}),
    ),
  )
  expect(await rolesOf()).toEqual(['catalyst_migrator', 'catalyst_reader'])
  const clients = await Promise.all(served.map((each) => each.connect()))
  await clients[0]?.tool('create_migration', makesTable('thing'))
  await clients[2]?.tool('create_migration', makesTable('thing'))
  const answers = await Promise.all(clients.map((client) => client.tool('run_migrations')))
  expect(answers.map(({ new_version }) => new_version)).toEqual([1000, 1000, 1000, 1000])
  for (const name of [one, two]) {
    const [thing] = await server.query(
      `select relowner::regrole::text as owner from pg_class where relname = 'thing'`,
      name,
    )
    expect(thing).toEqual({ owner: 'catalyst_migrator' })
    // The services go on with what the migrations have made.
    await server.query('insert into public.thing values (1)', name, 'maker')
  }
  const [role] = await server.query<Record<string, boolean | number>>(
    `select rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls,
       extract(epoch from rolvaliduntil - now())::int as seconds
     from pg_roles where rolname = 'catalyst_migrator'`,
  )
  expect(role).toMatchObject({
    rolsuper: false,
    rolcreaterole: false,
    rolcreatedb: false,
    rolreplication: false,
    rolbypassrls: false,
  })
  expect(role?.seconds).toBeLessThanOrEqual(300)
})

test('a role that may not is told the lines, and once somebody has run them and given the URL they run', async () => {
  await withoutRoles()
  await server.query('create role plain login')
  const name = await database('told', 'postgres')
  await server.query(`grant create on database ${name} to plain`)
  const env = folder()
  const first = await open(server.url(name, 'plain'), env)
  const client = await first.connect()
  expect(await rolesOf()).toEqual([])
  await client.tool('create_migration', makesTable('thing'))
  for (const args of [{}, { dry_run: true }]) {
    const { code, message, hint } = await client.refused('run_migrations', args)
    expect(code).toBe('permission_denied')
    expect(message).toContain('role plain may not prepare the role catalyst_migrator')
    expect(hint).toContain('CATALYST_MIGRATOR_URL=postgresql://catalyst_migrator:<password>@')
  }
  const { hint } = await client.refused('run_migrations')
  await first.close()
  const lines = (hint ?? '').match(SQL_LINE) ?? []
  expect(lines).toContain(`grant catalyst_migrator to plain${withOptions(await version())}`)
  for (const line of lines) await server.query(line.replace('<password>', 'chosen'), name)
  const url = server.url(name, 'catalyst_migrator:chosen')
  const second = await serve(server.url(name, 'plain'), { ...env, CATALYST_MIGRATOR_URL: url })
  const answer = await (await second.connect()).tool('run_migrations')
  expect(answer.new_version).toBe(1000)
  await server.query('insert into public.thing values (1)', name, 'plain')
})

const version = async (): Promise<number> => {
  const [row] = await server.query<{ version: number }>(
    `select current_setting('server_version_num')::int as version`,
  )
  return row?.version ?? 0
}
const withOptions = (number: number): string =>
  number >= 160_000 ? ' with inherit true, set true;' : ';'

test('where DATABASE_URL is a superuser, migrations over MCP are refused whatever the other login is', async () => {
  await withoutRoles()
  const name = await database('almighty', 'postgres')
  await server.query(`create role catalyst_migrator login password 'chosen'`)
  const env = { ...folder(), CATALYST_MIGRATOR_URL: server.url(name, 'catalyst_migrator:chosen') }
  const client = await (await serve(server.url(name), env)).connect()
  await client.tool('create_migration', makesTable('thing'))
  const { code, message, hint } = await client.refused('run_migrations')
  expect(code).toBe('permission_denied')
  expect(message).toContain('(postgres) is a superuser')
  expect(hint).toContain('create role catalyst_owner login createrole')
  expect(await server.query(`select 1 from pg_class where relname = 'thing'`, name)).toEqual([])
})

test('a password that is wrong and a database that is another one are told as such', async () => {
  await withoutRoles()
  await server.query('create role mixed login createrole')
  const name = await database('here', 'mixed')
  const elsewhere = await database('elsewhere', 'mixed')
  const env = folder()
  const first = await open(server.url(name, 'mixed'), env)
  await (await first.connect()).tool('create_migration', makesTable('thing'))
  await first.close()
  await server.query(`alter role catalyst_migrator password 'chosen'`)
  const refusal = async (url: string) => {
    const served = await open(server.url(name, 'mixed'), { ...env, CATALYST_MIGRATOR_URL: url })
    const { code, message } = await (await served.connect()).refused('run_migrations')
    await served.close()
    return `${code}: ${message}`
  }
  expect(await refusal(server.url(name, 'catalyst_migrator:wrong'))).toContain(
    'permission_denied: Migrations over MCP are refused: catalyst_migrator: PostgreSQL refused the password in CATALYST_MIGRATOR_URL.',
  )
  expect(await refusal(server.url(elsewhere, 'catalyst_migrator:chosen'))).toContain(
    'leads to another database than DATABASE_URL',
  )
})
