import { expect, test } from 'vitest'
import { startApp, ToolError } from '../support/app.js'
import { ATTACKS } from './attacks/corpus.js'

const SECRET = 'a-very-secret-value'
const { client, database } = await startApp()
await database.query(`
  create table public.orders (id serial primary key, qty int);
  insert into public.orders (qty) select n from generate_series(1, 100) as n;
  create table public.secrets (what text);
  insert into public.secrets values ('${SECRET}');
  create function public.helper() returns int language plpgsql immutable as 'begin perform pg_notify(''a'', ''b''); return 1; end';
  create function public.helper_of(public.orders) returns int language sql as 'select public.helper()';
  create function public.same(int, int) returns boolean language sql as 'select public.helper() = 1';
  create operator public.=== (leftarg = int, rightarg = int, function = public.same);
  create domain public.evil as int check (value > 0 and public.helper() = 1);
  create type public.trap_row as (a public.evil);
  create view public.trap_view as select id, public.helper() as trap from public.orders;
  create view public.secret_view as select * from catalyst.confirmations;
  create table public.trap_policy (id int);
  alter table public.trap_policy enable row level security;
  create policy trap on public.trap_policy using (public.helper() = 1)`)

/** Everything whose change would be an effect, read as the owner. */
const witness = async () => {
  const [seen] = await database.query(`
    select
      (select md5(string_agg(o::text, ',' order by id)) from public.orders as o) as orders,
      (select md5(string_agg(s::text, ',')) from public.secrets as s) as secrets,
      (select last_value from public.orders_id_seq) as sequence,
      (select string_agg(relname, ',' order by relname) from pg_class where relnamespace = 'public'::regnamespace) as relations,
      (select count(*) from pg_largeobject_metadata) as objects,
      (select count(*) from pg_replication_slots) as slots,
      (select count(*) from pg_replication_origin) as origins,
      (select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
        and pid in (select pid from pg_stat_activity where application_name = 'catalyst-db reader')) as locks,
      (select count(*) from pg_prepared_xacts) as prepared`)
  return seen
}

const TOOLS = [
  ['query_database', 'sql'],
  ['analyze_query', 'query'],
] as const

test('there are attacks enough, in twelve classes', () => {
  expect(Object.keys(ATTACKS)).toHaveLength(12)
  expect(Object.values(ATTACKS).flat().length).toBeGreaterThanOrEqual(250)
})

test.each(Object.keys(ATTACKS))(
  '%s: nothing gets through, nothing is left behind',
  async (kind) => {
    // What the reader may read is granted before, so that nothing honest is seen as a change.
    await client.tool('query_database', { sql: 'select count(*) from orders' })
    const before = await witness()
    const through: string[] = []
    for (const attack of ATTACKS[kind] ?? []) {
      for (const [tool, argument] of TOOLS) {
        const answer = await client
          .tool(tool, { [argument]: attack })
          .catch((error: unknown) => error)
        const refused = answer instanceof ToolError ? answer.body : null
        const isPlanOnly = tool === 'analyze_query' && kind === 'errors and catalogs'
        if (refused === null && !isPlanOnly) through.push(`${tool}: ${attack.slice(0, 200)}`)
        expect(refused?.code).not.toBe('internal_error')
        expect(JSON.stringify(answer)).not.toContain(SECRET)
        expect(refused?.message ?? '').not.toContain(SECRET)
      }
    }
    expect(through).toEqual([])
    expect(await witness()).toEqual(before)
  },
)
