import { createHash, randomBytes } from 'node:crypto'
import { existsSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type pg from 'pg'
import type { TestClient } from '../../support/app.js'
import { ToolError } from '../../support/app.js'
import { waitFor } from '../../support/wait-for.js'

/** What an attacker would like to reach on the host; named in the attacks as `@file`. */
const HOST_FILE = join(tmpdir(), `reached_${randomBytes(6).toString('hex')}`)

/** The tables, code, rights and files that were there before, partly handed to the migrations. */
export const WORLD = `
  do $$ begin
    if to_regrole('service_x') is null then create role service_x login; end if;
  exception when duplicate_object or unique_violation then null; -- Another test was first.
  end $$;
  create table public.orders (id int primary key, symbol text not null, note text, qty numeric default 1);
  insert into public.orders select n, 'S' || n, case when n % 2 = 0 then 'note ' || n end from generate_series(1, 100) n;
  create table public.lines (line int primary key, order_id int references public.orders on delete cascade);
  insert into public.lines select n, n from generate_series(1, 100) n;
  create table public.kept (id serial primary key, what text);
  insert into public.kept (what) select 'kept ' || n from generate_series(1, 50) n;
  create table public.part (at date, v int) partition by range (at);
  create table public.part_1 partition of public.part for values from ('2026-01-01') to ('2027-01-01');
  insert into public.part select '2026-01-01'::date + n, n from generate_series(1, 20) n;
  create table public.lone (at date, v int);
  insert into public.lone values ('2027-05-01', 1), ('2027-05-02', 2);
  create view public.dear as select id, qty from public.orders where qty > 0;
  create materialized view public.sums as select count(*) as n from public.orders;
  create index orders_symbol on public.orders (symbol);
  create function public.price(n int) returns int language sql as 'select n * 2';
  create procedure public.tidy() language plpgsql as 'begin delete from public.lines where line > 50; end';
  create type public.mood as enum ('calm', 'wild');
  create domain public.positive as int check (value > 0);
  create schema app;
  create table app.t (id int);
  insert into app.t values (1), (2), (3);
  create table public.theirs (id int primary key);
  insert into public.theirs select generate_series(1, 7);
  create schema closed;
  create table closed.secret (what text);
  insert into closed.secret values ('the secret');
  grant select, insert on public.orders to service_x;
  grant usage on schema public to service_x;
  select lo_from_bytea(4711, 'a large object');
  alter large object 4711 owner to catalyst_migrator;
  alter table public.orders owner to catalyst_migrator;
  alter table public.lines owner to catalyst_migrator;
  alter table public.kept owner to catalyst_migrator;
  alter table public.part owner to catalyst_migrator;
  alter table public.part_1 owner to catalyst_migrator;
  alter table public.lone owner to catalyst_migrator;
  alter view public.dear owner to catalyst_migrator;
  alter materialized view public.sums owner to catalyst_migrator;
  alter function public.price(int) owner to catalyst_migrator;
  alter procedure public.tidy() owner to catalyst_migrator;
  alter type public.mood owner to catalyst_migrator;
  alter domain public.positive owner to catalyst_migrator;
  grant usage, create on schema public to catalyst_migrator;
  do $$ begin execute format('grant create, temporary on database %I to catalyst_migrator', current_database()); end $$;
  alter schema app owner to catalyst_migrator;
  alter table app.t owner to catalyst_migrator`

type Query = (text: string) => Promise<pg.QueryResultRow[]>

/** Everything whose change would be a loss, read from the database as its superuser. */
const WITNESSES: Readonly<Record<string, string>> = {
  orders: 'select id, symbol, note, qty from public.orders order by id',
  lines: 'select * from public.lines order by line',
  kept: 'select id, what from public.kept order by id',
  part: 'select tableoid::regclass::text, * from public.part order by at',
  lone: 'select * from public.lone order by at',
  dear: 'select * from public.dear order by id',
  sums: 'select n from public.sums',
  app: 'select * from app.t order by id',
  theirs: 'select * from public.theirs order by id',
  secret: 'select * from closed.secret',
  object: 'select lo_get(4711)::text',
  sequence: 'select last_value, is_called from public.kept_id_seq',
  columns: `select attrelid::regclass::text as table, attname, atttypid::regtype::text, pg_get_expr(adbin, adrelid) as default
    from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
    where attrelid in ('orders'::regclass, 'lines'::regclass, 'kept'::regclass, 'part'::regclass, 'lone'::regclass, 'app.t'::regclass, 'theirs'::regclass)
      and attnum > 0 and not attisdropped and attname !~ '^new_' order by 1, attnum`,
  relations: `select oid, relname, relowner::regrole::text, relnamespace::regnamespace::text, relfilenode, relrowsecurity, relpersistence, relacl::text
    from pg_class where relname in ('orders', 'lines', 'kept', 'part', 'part_1', 'lone', 'dear', 'sums', 't', 'theirs', 'secret', 'kept_id_seq') order by 2`,
  code: `select oid::regprocedure::text, prosrc, proacl::text from pg_proc where proname in ('price', 'tidy') order by 1`,
  constraints: `select conrelid::regclass::text, conname, pg_get_constraintdef(oid) from pg_constraint
    where conrelid in ('orders'::regclass, 'lines'::regclass, 'kept'::regclass) and conname !~ '^new_' order by 1, 2`,
  indexes: `select indexrelid::regclass::text from pg_index where indrelid = 'orders'::regclass and indexrelid::regclass::text !~ 'new_' order by 1`,
  triggers: `select tgrelid::regclass::text, tgname, tgenabled from pg_trigger where tgrelid::regclass::text in ('orders', 'lines', 'kept', 'part', 'lone') and not tgisinternal`,
  rules: `select ev_class::regclass::text, rulename, md5(ev_action::text) from pg_rewrite where ev_class::regclass::text in ('orders', 'lines', 'kept', 'dear')`,
  policies: `select polname from pg_policy where polrelid::regclass::text in ('orders', 'lines', 'kept')`,
  inheritance: `select inhrelid::regclass::text, inhparent::regclass::text from pg_inherits where inhrelid::regclass::text in ('part_1', 'lone', 'orders', 'lines')`,
  types: `select t.typname, array(select enumlabel::text from pg_enum where enumtypid = t.oid and enumlabel !~ '^new_' order by enumsortorder) from pg_type t where typname in ('mood', 'positive') order by 1`,
  schemas: `select nspname, nspowner::regrole::text, nspacl::text from pg_namespace where nspname in ('public', 'app', 'catalyst', 'closed') order by 1`,
  ledger: `select version, name, up_sha256, status from catalyst.schema_migrations where version < 1000 order by 1`,
  log: `select count(*) from catalyst.schema_migration_log where version < 1000`,
  roles: `select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, rolcanlogin from pg_roles where rolname in ('catalyst_owner', 'catalyst_migrator', 'catalyst_reader', 'service_x', 'postgres') order by 1`,
  settings: `select setdatabase, setrole::regrole::text, setconfig::text from pg_db_role_setting where setdatabase in (0, (select oid from pg_database where datname = current_database())) order by 1, 2`,
  default_rights: 'select defaclacl::text from pg_default_acl order by 1',
  database:
    'select datdba::regrole::text, datacl::text from pg_database where datname = current_database()',
  databases: `select count(*) from pg_database where datname like 'attack%'`,
  publications: 'select pubname from pg_publication',
  subscriptions: 'select subname from pg_subscription',
  servers: 'select srvname from pg_foreign_server',
  slots: `select slot_name from pg_replication_slots where slot_name like 'attack%'`,
  casts:
    'select castsource::regtype::text, casttarget::regtype::text from pg_cast where oid >= 16384 and castcontext <> $$e$$',
  captured: `select oid::regprocedure::text from pg_proc p where oid >= 16384 and proname in (select proname from pg_proc where oid < 16384) and prolang <> (select oid from pg_language where lanname = 'c')`,
  operators: `select oid::regoperator::text from pg_operator where oid >= 16384 and oprname in ('=', '<>', '<', '||')`,
}

/** What services do every day; code that waits in their way would be seen in the rows. */
const EVERYDAY = `
  insert into public.orders (id, symbol) values (1001, 'S1001');
  insert into public.lines values (1001, 1001);
  insert into public.kept (id, what) values (1001, 'kept 1001');
  delete from public.lines where line = 1001;
  delete from public.orders where id = 1001;
  delete from public.kept where id = 1001`

const EVERYTHING = Object.entries(WITNESSES).map(
  ([name, text]) => `'${name}', (select coalesce(jsonb_agg(w), '[]') from (${text}) as w)`,
)

/** The database and the host, part by part. */
export async function witness(query: Query): Promise<Record<string, unknown>> {
  const [half, rest] = [EVERYTHING.slice(0, 20), EVERYTHING.slice(20)]
  const text = `select jsonb_build_object(${half.join(', ')}) || jsonb_build_object(${rest.join(', ')}) as seen`
  const read = async () => (await query(text))[0]?.seen as Record<string, unknown>
  const seen = await read()
  await query(`begin; ${EVERYDAY}; commit`)
  const later = await read()
  const changed = ['orders', 'lines', 'kept', 'app', 'theirs'].filter(
    (name) => JSON.stringify(later[name]) !== JSON.stringify(seen[name]),
  )
  return { ...seen, 'changed by a day': changed, host: existsSync(HOST_FILE) }
}

/** What became of one file. */
export type Outcome = 'applied' | 'confirmation_required' | 'refused'

/** A client that can only create and run migrations. */
export class Attacker {
  readonly #client: TestClient
  readonly #folder: string
  /** The last refusal. */
  said = ''

  constructor(client: TestClient, folder: string) {
    this.#client = client
    this.#folder = folder
  }

  /** Writes a migration and tries it, dry and then for good, confirming nothing. */
  async run(text: string, { dry = false, down = '' } = {}): Promise<Outcome> {
    const up_sql = text.replaceAll('@file', HOST_FILE)
    try {
      await this.#client.tool('create_migration', { name: nameOf(text), up_sql, down_sql: down })
      if (dry) await this.#client.tool('run_migrations', { dry_run: true }).catch(() => {})
      await this.#done(await this.#client.tool('run_migrations'))
      return 'applied'
    } catch (error) {
      if (!(error instanceof ToolError)) throw error
      this.said = `${error.body.code}: ${error.body.message} ${error.body.hint}`
      await this.#forget()
      return error.body.code === 'confirmation_required' ? 'confirmation_required' : 'refused'
    }
  }

  /** What takes longer than a call is waited for. */
  async #done({ job_id, status }: { job_id?: string; status?: string }): Promise<void> {
    if (status !== 'running') return
    const { error } = await waitFor(
      async () => {
        const job = await this.#client.tool('get_job', { job_id })
        return !['queued', 'running'].includes(job.state) && job
      },
      { what: 'the end of a run', timeoutMs: 400_000 },
    )
    if (error) throw new ToolError(error)
  }

  /** Takes away what was not applied, as an operator would, so that the next attempt can be made. */
  async #forget(): Promise<void> {
    const { pending_migrations } = await this.#client.resource('db/migrations/status')
    for (const { version } of pending_migrations) {
      for (const file of readdirSync(this.#folder)) {
        if (file.startsWith(`${version}_`)) rmSync(join(this.#folder, file))
      }
    }
  }
}

const nameOf = (text: string): string =>
  `m_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
