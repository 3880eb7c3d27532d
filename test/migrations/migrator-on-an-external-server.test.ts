import { expect, onTestFinished, test } from 'vitest'
import { open } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { OperatorFolder } from './operator-folder.js'

const FIVE_MINUTES = 300

/** A server that asks for passwords, and a role that may create roles, as managed plans give it. */
async function external(folder: OperatorFolder) {
  const cluster = await Cluster.start()
  const address = await cluster.listen()
  await cluster.letIn('host all all 127.0.0.1/32 scram-sha-256')
  await cluster.query('drop role catalyst_migrator')
  await cluster.query(`create role trader login createrole password 'hunter2'`)
  await cluster.query('create database shop owner trader')
  const url = `postgresql://trader:hunter2@${address}/shop?sslmode=disable`
  const served = await open(url, folder.env)
  onTestFinished(() => served.close())
  const query = (text: string) => cluster.query(text, [], 'shop')
  return { client: await served.connect(), query }
}

const [folder, another] = [new OperatorFolder(), new OperatorFolder()]

test('each run logs in as the migrator with a password of its own, good for five minutes', async () => {
  const { client, query } = await external(folder)
  const secret = async () => {
    const [row] = await query(
      `select rolpassword as verifier, extract(epoch from rolvaliduntil - now())::float8 as seconds
       from pg_authid where rolname = 'catalyst_migrator'`,
    )
    return { verifier: String(row?.verifier), seconds: Number(row?.seconds) }
  }
  folder.write(
    '1000_who',
    'create table public.who as select current_user::text as role, session_user::text as login',
  )
  await client.tool('run_migrations')
  const first = await secret()
  expect(first.verifier).toMatch(/^SCRAM-SHA-256\$4096:/)
  expect(first.seconds).toBeLessThanOrEqual(FIVE_MINUTES)
  expect(await query('select * from public.who')).toEqual([
    { role: 'catalyst_migrator', login: 'catalyst_migrator' },
  ])
  folder.write('1001_more', 'create table public.more ()')
  await client.tool('run_migrations')
  expect((await secret()).verifier).not.toBe(first.verifier)
  // The services keep their rights by membership.
  const rights = `select has_table_privilege('trader', 'public.who', 'select, insert, delete') as kept,
    relowner::regrole::text as owner from pg_class where oid = 'public.who'::regclass`
  expect(await query(rights)).toEqual([{ kept: true, owner: 'catalyst_migrator' }])
})

test('the migrator can neither become the owner nor see or write what is the product’s', async () => {
  const { client, query } = await external(another)
  const attempts = [
    `do $$ begin execute 'set role trader'; delete from catalyst.schema_migrations; reset role; end $$`,
    `do $$ begin perform set_config('role', 'trader', false); end $$`,
    `do $$ begin execute 'set session authorization trader'; end $$`,
    'create table public.copied as select * from catalyst.schema_migrations',
    'delete from catalyst.schema_migrations',
    'create table catalyst.own (id int)',
    'grant trader to catalyst_migrator',
    'alter role catalyst_migrator createrole',
    `alter role catalyst_migrator valid until 'infinity'`,
  ]
  for (const [at, text] of attempts.entries()) {
    const name = `${1_000 + at}_attempt`
    another.write(name, text)
    expect((await client.refused('run_migrations')).code, text).toMatch(
      /^(permission_denied|precondition_failed)$/,
    )
    another.remove(name)
  }
  const [facts] = await query(
    `select (select count(*)::integer from catalyst.schema_migrations where version >= 1000) as rows,
       has_schema_privilege('catalyst_migrator', 'catalyst', 'usage, create') as rights,
       pg_has_role('catalyst_migrator', 'trader', 'member') as member`,
  )
  expect(facts).toEqual({ rows: 0, rights: false, member: false })
})
