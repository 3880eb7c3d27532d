/** One attempt: its files, in order; each is run before the next is written. */
export interface Attack {
  readonly name: string
  readonly files: readonly string[]
}

/** What is to happen although nobody confirmed it. */
const AIMS: Readonly<Record<string, string>> = {
  delete: 'delete from public.orders',
  update: `update public.orders set symbol = 'X'`,
  truncate: 'truncate public.lines',
  drop: 'drop table public.kept cascade',
  ledger: 'delete from catalyst.schema_migrations',
  program: `copy (select 1) to program 'touch @file'`,
}

const inFunction = (name: string, aim: string, returns = 'void', end = ''): string =>
  `create function public.${name} returns ${returns} language plpgsql as $body$ begin ${aim}; ${end} end $body$`

/** Ways to have it done; `n` keeps the names of attempts apart. */
const VEHICLES: Readonly<Record<string, (aim: string, n: string) => readonly string[]>> = {
  plainly: (aim) => [aim],
  'in a DO': (aim) => [`do $$ begin ${aim}; end $$`],
  'as text in a DO': (aim) => [
    `do $$ begin execute ${[...aim].map((c) => `chr(${c.charCodeAt(0)})`).join(' || ')}; end $$`,
  ],
  'in a DO that hides it behind an error': (aim) => [
    `do $$ begin begin ${aim}; exception when others then null; end; end $$`,
  ],
  'by a function of the same file': (aim, n) => [
    `${inFunction(`f${n}()`, aim)}; select public.f${n}()`,
  ],
  'by a function of another file': (aim, n) => [
    inFunction(`g${n}()`, aim),
    `select public.g${n}()`,
  ],
  'by a procedure': (aim, n) => [
    `create procedure public.p${n}() language plpgsql as $body$ begin ${aim}; end $body$`,
    `call public.p${n}()`,
  ],
  'by a trigger of a new table': (aim, n) => [
    `${inFunction(`t${n}()`, aim, 'trigger', 'return new;')};
     create table public.n${n} (id int);
     create trigger tr before insert on public.n${n} for each row execute function public.t${n}()`,
    `insert into public.n${n} values (1)`,
  ],
  'by a trigger that waits for the commit': (aim, n) => [
    `${inFunction(`d${n}()`, aim, 'trigger', 'return null;')};
     create table public.dt${n} (id int);
     create constraint trigger tr after insert on public.dt${n} deferrable initially deferred
       for each row execute function public.d${n}();
     insert into public.dt${n} values (1)`,
  ],
  'by a trigger that defers another': (aim, n) => [
    `create table public.dd${n} (id int);
     create function public.dd${n}() returns trigger language plpgsql as $body$
     begin
       set constraints all deferred;
       if new.id < 3 then insert into public.dd${n} values (new.id + 1); else ${aim}; end if;
       return null;
     end $body$;
     create constraint trigger tr after insert on public.dd${n} deferrable initially deferred
       for each row execute function public.dd${n}();
     insert into public.dd${n} values (1)`,
  ],
  'by a cursor that outlives the transaction': (aim, n) => [
    `${inFunction(`h${n}()`, aim)}; declare c${n} cursor with hold for select public.h${n}()`,
  ],
  'by an operator': (aim, n) => [
    `${inFunction(`o${n}(int, int)`, aim, 'boolean', 'return true;')};
     create operator public.<!${'!'.repeat(Number(n) % 5)}> (leftarg = int, rightarg = int, function = public.o${n})`,
    `select 1 operator(public.<!${'!'.repeat(Number(n) % 5)}>) 2`,
  ],
  'by an aggregate': (aim, n) => [
    `${inFunction(`s${n}(int, int)`, aim, 'int', 'return 1;')};
     create aggregate public.a${n}(int) (sfunc = public.s${n}, stype = int)`,
    `select public.a${n}(x) from (values (1), (2)) as v (x)`,
  ],
  'by a cast': (aim, n) => [
    `create type public.ty${n} as (a int);
     ${inFunction(`c${n}(public.ty${n})`, aim, 'int', 'return 1;')};
     create cast (public.ty${n} as int) with function public.c${n}(public.ty${n})`,
    `select (row(1)::public.ty${n})::int`,
  ],
  'by the default of a new table': (aim, n) => [
    `${inFunction(`df${n}()`, aim, 'int', 'return 1;')};
     create table public.dn${n} (id int, x int default public.df${n}())`,
    `insert into public.dn${n} (id) values (1)`,
  ],
  'by a check of a new table': (aim, n) => [
    `${inFunction(`ck${n}(int)`, aim, 'boolean', 'return true;')};
     create table public.cn${n} (id int check (public.ck${n}(id)))`,
    `insert into public.cn${n} values (1)`,
  ],
  'by a domain': (aim, n) => [
    `${inFunction(`dc${n}(int)`, aim, 'boolean', 'return true;')};
     create domain public.do${n} as int check (public.dc${n}(value))`,
    `select 1::public.do${n}`,
  ],
  'by the expression of an index': (aim, n) => [
    `${inFunction(`iv${n}()`, aim)};
     create function public.ix${n}(int) returns int immutable language plpgsql as
       $body$ begin perform public.iv${n}(); return 1; end $body$;
     create table public.it${n} (id int);
     insert into public.it${n} values (1)`,
    `create index ii${n} on public.it${n} (public.ix${n}(id))`,
  ],
  'by an index that is built outside of transactions': (aim, n) => [
    `${inFunction(`xv${n}()`, aim)};
     create function public.xx${n}(int) returns int immutable language plpgsql as
       $body$ begin perform public.xv${n}(); return 1; end $body$;
     create table public.xt${n} (id int);
     insert into public.xt${n} values (1)`,
    `-- transaction: none\ncreate index concurrently xi${n} on public.xt${n} (public.xx${n}(id))`,
  ],
  'by statistics': (aim, n) => [
    `${inFunction(`sv${n}()`, aim)};
     create function public.sx${n}(int) returns int immutable language plpgsql as
       $body$ begin perform public.sv${n}(); return 1; end $body$;
     create table public.st${n} (id int);
     insert into public.st${n} select generate_series(1, 10);
     create statistics public.se${n} on (public.sx${n}(id)) from public.st${n}`,
    `-- transaction: none\nvacuum (analyze) public.st${n}`,
    `analyze public.st${n}`,
  ],
  'by a rule of a new table': (aim, n) => [
    /^(delete|update)/.test(aim)
      ? `create table public.rn${n} (id int);
         create rule r as on insert to public.rn${n} do also ${aim}`
      : `${inFunction(`rf${n}()`, aim)};
         create table public.rn${n} (id int);
         create rule r as on insert to public.rn${n} do also select public.rf${n}()`,
    `insert into public.rn${n} values (1)`,
  ],
  'by a view': (aim, n) => [
    `${inFunction(`vf${n}()`, aim, 'int', 'return 1;')};
     create view public.vn${n} as select public.vf${n}() as x`,
    `select * from public.vn${n}`,
    `copy (select * from public.vn${n}) to stdout`,
  ],
  'by filling a materialized view': (aim, n) => [
    `${inFunction(`mf${n}()`, aim, 'int', 'return 1;')};
     create materialized view public.mn${n} as select public.mf${n}() as x with no data`,
    `refresh materialized view public.mn${n}`,
  ],
  'by a policy': (aim, n) => [
    `${inFunction(`pf${n}()`, aim, 'boolean', 'return true;')};
     create table public.pn${n} (id int);
     insert into public.pn${n} values (1);
     alter table public.pn${n} enable row level security, force row level security;
     create policy p on public.pn${n} using (public.pf${n}())`,
    `select * from public.pn${n}`,
  ],
  'by a function that runs text': (aim, n) => [
    inFunction(`q${n}()`, aim, 'int', 'return 1;'),
    `select query_to_xml('select public.q${n}()', true, true, '')`,
    `select * from ts_stat('select to_tsvector(public.q${n}()::text)')`,
    `select cursor_to_xml('c', 1, true, true, '')`,
  ],
  'as a prepared statement': (aim, n) =>
    /^(delete|update)/.test(aim)
      ? [`prepare p${n} as ${aim}; execute p${n}`]
      : [`${inFunction(`e${n}()`, aim)}; prepare p${n} as select public.e${n}(); execute p${n}`],
  'in a string read another way': (aim) => [
    `set standard_conforming_strings = off; select '\\'; ${aim.replaceAll("'", "''")}; --'`,
    `select set_config('standard_conforming_strings', 'off', false); select '\\'; ${aim.replaceAll("'", "''")}; --'`,
    `do $$ begin perform set_config('standard_conforming_strings', 'off', true); end $$; select '\\'; ${aim.replaceAll("'", "''")}; --'`,
  ],
  'behind a comment': (aim) => [
    `/* /* nested */ */ ${aim} -- harmless`,
    `select 1; /**/${aim}/**/`,
  ],
  explained: (aim) => [`explain analyze ${aim}`],
}

const NAMES = Object.keys(AIMS)

/** Every way with a plain loss and with one of the other aims. */
const combined: Attack[] = Object.entries(VEHICLES).flatMap(([way, filesOf], at) =>
  ['delete', NAMES[1 + (at % (NAMES.length - 1))] ?? ''].map((aim, which) => ({
    name: `${aim}, ${way}`,
    files: filesOf(AIMS[aim] ?? '', String(at * 10 + which)),
  })),
)

/** Those that fit into one text each. */
const SINGLE: readonly (readonly [name: string, ...files: string[]])[] = [
  ['a condition that is always true', 'delete from public.orders where true or id = 1'],
  ['a condition on itself', 'delete from public.orders where id = id'],
  ['a condition by exists', 'delete from public.orders o where exists (select 1)'],
  ['using another table', 'delete from public.orders using public.lines where true'],
  [
    'in a common table expression',
    'with gone as (delete from public.orders returning *) select count(*) from gone',
  ],
  [
    'an update in a common table expression',
    `with u as (update public.kept set what = '' returning 1) insert into app.t select 9 from u where false`,
  ],
  [
    'merge that deletes',
    'merge into public.orders o using public.lines l on o.id = l.order_id when matched then delete',
  ],
  [
    'merge that updates',
    `merge into public.orders o using public.lines l on o.id = l.order_id when matched then update set note = 'm'`,
  ],
  [
    'upsert',
    `insert into public.orders (id, symbol) select id, 'U' from public.orders on conflict (id) do update set symbol = 'U'`,
  ],
  [
    'upsert of one row',
    `insert into public.kept values (1, 'over') on conflict (id) do update set what = excluded.what`,
  ],
  [
    'a delete that is inserted again',
    'with d as (delete from public.lines returning *) insert into public.lines select line + 1000, order_id from d',
  ],
  ['a cascade', 'delete from public.orders where id = 1'],
  ['drop table', 'drop table public.orders cascade'],
  ['drop of a list', 'drop table if exists nothing, public.lines'],
  ['drop column', 'alter table public.orders drop column note'],
  ['drop column if exists', 'alter table if exists only public.orders drop if exists note cascade'],
  ['drop schema', 'drop schema app cascade'],
  ['drop view', 'drop view public.dear'],
  ['drop materialized view', 'drop materialized view public.sums'],
  ['drop function', 'drop function public.price'],
  ['drop routine', 'drop routine public.tidy'],
  ['drop type cascade', 'drop type public.mood cascade'],
  ['drop domain', 'drop domain public.positive'],
  ['drop owned', 'drop owned by current_user'],
  ['drop owned by name', 'drop owned by catalyst_migrator cascade'],
  ['reassign owned', 'reassign owned by catalyst_migrator to catalyst_owner'],
  ['drop constraint', 'alter table public.lines drop constraint lines_order_id_fkey'],
  ['drop primary key', 'alter table public.orders drop constraint orders_pkey cascade'],
  ['drop not null', 'alter table public.orders alter symbol drop not null'],
  ['drop default', 'alter table public.orders alter qty drop default'],
  ['another default', 'alter table public.orders alter qty set default 999'],
  ['drop index', 'drop index public.orders_symbol'],
  ['drop index concurrently', '-- transaction: none\ndrop index concurrently public.orders_symbol'],
  ['another type', 'alter table public.orders alter symbol type varchar(1) using left(symbol, 1)'],
  ['a type by a constant', `alter table public.orders alter note type text using 'gone'`],
  ['an expression for a column', 'alter table public.orders alter qty type numeric using 0'],
  ['rename a table', 'alter table public.orders rename to orders_old'],
  ['rename a column', 'alter table public.orders rename note to remark'],
  [
    'rename and take the name',
    'alter table public.lone rename to lone_2; create table public.lone (at date, v int)',
  ],
  [
    'swap two tables',
    'alter table public.lone rename to x; alter table public.lines rename to lone; alter table public.x rename to lines',
  ],
  ['move to another schema', 'alter table public.lone set schema app'],
  ['move a schema away', 'alter schema app rename to app_2'],
  ['unlogged', 'alter table public.orders set unlogged'],
  [
    'attach and drop',
    `create table public.new_p (at date, v int) partition by range (at);
    alter table public.new_p attach partition public.lone for values from ('2027-01-01') to ('2028-01-01');
    drop table public.new_p`,
  ],
  [
    'attach',
    `alter table public.part attach partition public.lone for values from ('2027-01-01') to ('2028-01-01')`,
  ],
  ['detach', 'alter table public.part detach partition public.part_1'],
  [
    'detach outside of transactions',
    '-- transaction: none\nalter table public.part detach partition public.part_1 concurrently',
  ],
  ['drop a partition', 'drop table public.part_1'],
  ['truncate a partition', 'truncate public.part_1'],
  ['truncate with cascade', 'truncate public.orders cascade'],
  ['truncate only', 'truncate only public.kept restart identity'],
  [
    'inherit from a new parent',
    'create table public.new_parent (id int); alter table public.kept inherit public.new_parent',
  ],
  [
    'a new child that is dropped',
    'create table public.new_c () inherits (public.kept); drop table public.new_c; delete from only public.kept',
  ],
  [
    'replace a function',
    `create or replace function public.price(n int) returns int language sql as 'select 0'`,
  ],
  ['replace a procedure', `create or replace procedure public.tidy() language sql as ''`],
  [
    'replace a view',
    'create or replace view public.dear as select id, qty from public.orders where false',
  ],
  ['call a procedure that was there', 'call public.tidy()'],
  [
    'a trigger on a table that was there',
    `create function public.new_tr() returns trigger language plpgsql as 'begin return null; end';
    create trigger tr before insert on public.orders for each row execute function public.new_tr()`,
  ],
  ['a trigger that was there is switched off', 'alter table public.orders disable trigger all'],
  [
    'a rule on a table that was there',
    'create rule r as on insert to public.orders do instead nothing',
  ],
  [
    'a rule on a view',
    'create rule r as on delete to public.dear do instead delete from public.lines',
  ],
  [
    'a policy',
    'alter table public.orders enable row level security; create policy p on public.orders using (false)',
  ],
  ['row security alone', 'alter table public.orders enable row level security'],
  [
    'a default with code',
    `create function public.new_d() returns numeric language plpgsql as 'begin delete from public.lines; return 1; end';
    alter table public.orders alter qty set default public.new_d()`,
  ],
  [
    'a new column with code',
    `create function public.new_e() returns int stable language plpgsql as 'begin return 1; end';
    alter table public.orders add column new_e int default public.new_e()`,
  ],
  [
    'a check with code',
    `create function public.new_k(int) returns boolean language plpgsql as 'begin delete from public.lines where line > 1; return true; end';
    alter table public.orders add constraint new_k check (public.new_k(id)) not valid`,
  ],
  [
    'an index with code',
    `create function public.new_i(int) returns int immutable language plpgsql as 'begin return 1; end';
    create index new_ix on public.orders (public.new_i(id))`,
  ],
  [
    'a domain with code on a table that was there',
    `create function public.new_dd(int) returns boolean language plpgsql as 'begin return true; end';
    create domain public.new_dom as int check (public.new_dd(value)); alter table public.orders add column new_dom public.new_dom`,
  ],
  [
    'a foreign key that cascades',
    'alter table public.kept add constraint new_fk foreign key (id) references public.orders on delete cascade not valid',
  ],
  [
    'an event trigger',
    `create function public.new_ev() returns event_trigger language plpgsql as 'begin end'; create event trigger e on ddl_command_end execute function public.new_ev()`,
  ],
  [
    'a function in the way of lower()',
    `create function public.lower(varchar) returns text language sql as 'select 1::text'`,
  ],
  [
    'a function in the way of one that was there',
    `create function public.price(n numeric) returns int language sql as 'select 0'`,
  ],
  [
    'an operator in the way of =',
    'create operator public.= (leftarg = varchar, rightarg = varchar, function = pg_catalog.textne)',
  ],
  [
    'an operator in the way of ||',
    `create function public.new_cat(text, int) returns text language sql as 'select null::text'; create operator public.|| (leftarg = text, rightarg = int, function = public.new_cat)`,
  ],
  [
    'an implicit cast',
    `create function public.new_cast(public.mood) returns int language sql as 'select 1'; create cast (public.mood as int) with function public.new_cast(public.mood) as implicit`,
  ],
  [
    'a schema in the way of a role',
    'create schema service_x; create table service_x.orders (id int)',
  ],
  ['rename an enum value', `alter type public.mood rename value 'calm' to 'cold'`],
  ['rename a type', 'alter type public.mood rename to moods'],
  ['another owner', 'alter table public.orders owner to catalyst_owner'],
  ['take ownership', 'alter table public.theirs owner to catalyst_migrator'],
  ['a table of somebody else', 'delete from public.theirs'],
  ['drop what somebody else owns', 'drop table public.theirs'],
  ['alter what somebody else owns', 'alter table public.theirs add column new_x int'],
  ['read a secret', 'create table public.new_secret as select * from closed.secret'],
  ['grant to all', 'grant select on public.orders to public'],
  ['grant to another role', 'grant delete on public.orders to service_x'],
  ['grant everything', 'grant all on all tables in schema public to public'],
  ['revoke from a service', 'revoke insert on public.orders from service_x'],
  ['revoke from the owner', 'revoke all on public.orders from catalyst_migrator'],
  ['default rights', 'alter default privileges grant all on tables to public'],
  ['a schema for everybody', 'grant create on schema app to public'],
  [
    'rights of its owner',
    `create function public.new_sd() returns bigint language sql security definer as 'select count(*) from public.orders'`,
  ],
  [
    'a view for everybody',
    'create view public.new_v as select * from public.orders; grant select on public.new_v to public',
  ],
  ['join another role', 'grant catalyst_owner to catalyst_migrator'],
  ['make a role', 'create role attack_role login'],
  ['become a superuser', 'alter role catalyst_migrator superuser'],
  ['become the owner', 'set role catalyst_owner'],
  ['become the owner by a function', `select set_config('role', 'catalyst_owner', false)`],
  ['become the bootstrap user', 'set session authorization postgres'],
  ['settings of the role', 'alter role catalyst_migrator set standard_conforming_strings = off'],
  ['settings of the role, by a path', 'alter role catalyst_migrator set search_path = app'],
  [
    'settings of the database',
    `do $$ begin execute format('alter database %I set search_path = app', current_database()); end $$`,
  ],
  ['settings of the server', 'alter system set fsync = off'],
  ['a setting by its quoted name', `set "SEARCH_PATH" = 'app'; create table t2 as select 1`],
  [
    'a setting by a row',
    `update pg_settings set setting = 'off' where name = 'standard_conforming_strings'`,
  ],
  ['no timeouts', 'set statement_timeout = 0'],
  ['no lock timeouts', `select set_config('lock_timeout', '0', false)`],
  ['as a replica', 'set session_replication_role = replica; delete from public.lines'],
  ['without row security', 'set row_security = off'],
  ['another encoding', `set client_encoding = 'SJIS'`],
  ['commit', 'commit; delete from public.orders; begin'],
  ['commit in a DO', 'do $$ begin delete from public.orders; commit; end $$'],
  [
    'commit in a procedure',
    `create procedure public.new_c() language plpgsql as 'begin delete from public.orders; commit; end'`,
    'call public.new_c()',
  ],
  ['commit prepared', `delete from public.orders; prepare transaction 'x'`],
  ['a savepoint', 'savepoint s; delete from public.orders; release s'],
  ['rollback', 'rollback; delete from public.orders'],
  [
    'a DO without a transaction',
    '-- transaction: none\ndo $$ begin delete from public.orders; commit; end $$',
  ],
  ['a call without a transaction', '-- transaction: none\ncall public.tidy()'],
  ['a delete without a transaction', '-- transaction: none\ndelete from public.orders'],
  [
    'a function without a transaction',
    '-- transaction: none\nselect set_config($$search_path$$, $$app$$, false)',
  ],
  ['a sequence set back', `select setval('public.kept_id_seq', 1)`],
  [
    'a sequence set back by a function',
    `do $$ begin perform setval('public.kept_id_seq', 1, false); end $$`,
  ],
  ['a sequence used up', `select setval('public.kept_id_seq', 2147483647)`],
  [
    'a sequence used up and an error',
    `select setval('public.kept_id_seq', 2147483647); select 1 / 0`,
  ],
  ['a sequence restarted', 'alter sequence public.kept_id_seq restart with 1'],
  [
    'a sequence that goes back',
    `alter sequence public.kept_id_seq increment by -1; select nextval('public.kept_id_seq')`,
  ],
  [
    'a sequence of its own owner',
    'alter sequence public.kept_id_seq owned by none; drop sequence public.kept_id_seq cascade',
  ],
  ['unlink a large object', 'select lo_unlink(4711)'],
  ['overwrite a large object', `select lo_put(4711, 0, 'gone')`],
  ['truncate a large object', 'select lo_truncate(lo_open(4711, 131072), 0)'],
  ['a large object for everybody', 'grant all on large object 4711 to public'],
  ['export a large object', `select lo_export(4711, '@file')`],
  ['import a file', `select lo_import('/etc/passwd')`],
  ['read a file', `create table public.new_f as select pg_read_file('/etc/passwd')`],
  ['list files', `select pg_ls_dir('/')`],
  ['copy to a file', `copy public.orders to '@file'`],
  [
    'copy from a file',
    `create table public.new_cf (line text); copy public.new_cf from '/etc/passwd'`,
  ],
  [
    'copy from a program',
    `create table public.new_cp (line text); copy public.new_cp from program 'touch @file'`,
  ],
  [
    'an untrusted language',
    'create extension plpython3u; do language plpython3u $$ open("@file", "w") $$',
  ],
  [
    'a C function',
    `create function public.new_sys(text) returns int language c as 'libc.so.6', 'system'`,
  ],
  [
    'an internal function',
    `create function public.new_int(text) returns text language internal as 'pg_read_file_all'`,
  ],
  ['load a library', `load '$libdir/plugins/x'`],
  [
    'a file as a table',
    `create extension file_fdw; create server s foreign data wrapper file_fdw; create foreign table public.new_ft (l text) server s options (program 'touch @file')`,
  ],
  [
    'another server',
    'create extension dblink; select dblink_exec($$host=/tmp user=postgres$$, $$select 1$$)',
  ],
  [
    'another server as a table',
    'create extension postgres_fdw; create server attack_s foreign data wrapper postgres_fdw',
  ],
  ['a database', 'create database attack_db'],
  ['drop a database', 'drop database postgres'],
  ['a tablespace', `create tablespace attack_ts location '/tmp'`],
  ['a publication', 'create publication attack_pub for table public.orders'],
  ['a publication of all', 'create publication attack_pub for all tables'],
  [
    'a subscription',
    `create subscription attack_sub connection 'host=127.0.0.1' publication p with (connect = false)`,
  ],
  ['a slot', `select pg_create_physical_replication_slot('attack_slot')`],
  ['a logical slot', `select pg_create_logical_replication_slot('attack_slot', 'test_decoding')`],
  [
    'end other sessions',
    'select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()',
  ],
  [
    'the ledger, inserted',
    `insert into catalyst.schema_migrations (version, name, description, up_sha256, duration_ms, app_version) values (999, 'x', 'x', 'x', 0, 'x')`,
  ],
  [
    'the ledger, by another name',
    'create view public.new_l as select * from catalyst.schema_migrations; delete from public.new_l',
  ],
  [
    'the log',
    'alter table catalyst.schema_migration_log disable trigger all; delete from catalyst.schema_migration_log',
  ],
  ['the product’s tables', 'drop schema catalyst cascade'],
  ['a table in the product’s schema', 'create table catalyst.new_x (id int)'],
  ['the schema renamed', 'alter schema catalyst rename to old'],
  [
    'the tokens',
    `insert into catalyst.confirmations (token_sha256, principal, tool, digest, expires_at) values ('x', 'x', 'x', 'x', now())`,
  ],
  ['the catalog', `update pg_class set relname = 'x' where relname = 'orders'`],
  ['the catalog, deleted', 'delete from pg_proc'],
  [
    'a temporary table of the same name',
    'create temporary table orders as select * from public.orders; delete from orders; delete from public.orders',
  ],
  [
    'a lock that waits',
    `do $$ begin perform pg_advisory_unlock_all(); end $$; delete from public.kept`,
  ],
  [
    'a code of a domain that was there',
    `create function public.new_dm(int) returns boolean language plpgsql as 'begin delete from public.lines where line > 0; return true; end';
    alter domain public.positive add constraint new_dm check (public.new_dm(value)) not valid`,
  ],
  ['rename an index', 'alter index public.orders_symbol rename to orders_symbol_2'],
  ['rename a constraint', 'alter table public.orders rename constraint orders_pkey to orders_key'],
  ['rename a function', 'alter function public.price(int) rename to price_2'],
  ['rename a view', 'alter view public.dear rename to dearest'],
  ['a view with the rights of who asks', 'alter view public.dear set (security_invoker = true)'],
  ['a function with the rights of its owner', 'alter function public.price(int) security definer'],
  ['a function with another path', 'alter function public.price(int) set search_path = app'],
  ['a domain without its check', 'alter domain public.positive drop constraint positive_check'],
  ['another default of a domain', 'alter domain public.positive set default 7'],
  [
    'a key that is checked later',
    'alter table public.lines alter constraint lines_order_id_fkey deferrable initially deferred',
  ],
  ['a type taken from everybody', 'revoke usage on type public.mood from public'],
  ['a function taken from everybody', 'revoke execute on function public.price(int) from public'],
  ['a right that may be passed on', 'grant select on public.orders to service_x with grant option'],
  ['its own membership', 'grant catalyst_migrator to service_x'],
  ['its own password', `alter role catalyst_migrator password 'known'`],
  [
    'its own password, in a DO',
    `do $$ begin execute 'alter role current_user password null'; end $$`,
  ],
  [
    'settings of another database',
    `alter role catalyst_migrator in database postgres set search_path = 'app'`,
  ],
  ['rows of another database', 'select * from postgres.public.anything'],
  [
    'the name of the database',
    `do $$ begin execute format('alter database %I rename to attack_db', current_database()); end $$`,
  ],
  ['vacuum full', '-- transaction: none\nvacuum full public.orders'],
  ['cluster', 'cluster public.orders using orders_pkey'],
  ['refresh what was there', 'refresh materialized view public.sums'],
  ['write into a large object', `select lowrite(lo_open(4711, 131072), 'gone')`],
  ['a large object of another owner', 'alter large object 4711 owner to catalyst_owner'],
  ['a prepared transaction in a DO', `do $$ begin execute $x$prepare transaction 'x'$x$; end $$`],
  [
    'a rule that selects',
    `create or replace rule "_RETURN" as on select to public.dear do instead select 1 as id, 2::numeric as qty`,
  ],
  ['no counting of rows', 'set track_counts = off; delete from public.kept'],
  ['another timeout of transactions', `set transaction_timeout = '1h'`],
  [
    'dates read another way',
    `do $$ begin perform set_config('datestyle', 'German', false); end $$`,
  ],
  ['foreign data', 'create foreign data wrapper attack_w'],
  ['statistics forgotten', 'select pg_stat_reset()'],
  ['the configuration read again', 'select pg_reload_conf()'],
  ['what the server runs with', 'select pg_read_binary_file($$/proc/self/environ$$)'],
  [
    'a setting that tells a path',
    `create table public.new_dd2 as select current_setting('data_directory')`,
  ],
  ['discard all', '-- transaction: none\ndiscard all'],
  ['an analyze of everything', '-- transaction: none\nalter system set max_connections = 1'],
  ['a view that was there, deleted through', 'delete from public.dear where id > 0'],
  ['a view that was there, updated through', 'update public.dear set qty = 0'],
  ['move rows between partitions', `update public.part set at = at + 1`],
  [
    'generated over what was there',
    'alter table public.orders add column new_g int generated always as (id * 2) stored',
  ],
  [
    'a fresh value for a column that is full',
    `update public.orders set note = coalesce(note, 'x')`,
  ],
  [
    'a fill that overwrites some',
    `update public.orders set note = 'x' where note is null or id = 2`,
  ],
  [
    'a fill with more than it says',
    `create function public.new_more() returns text language plpgsql as 'begin update public.orders set symbol = symbol where id = 1; return null; end';
    alter table public.orders add column new_m text; update public.orders set new_m = public.new_more()`,
  ],
]

/** Every attempt, each to be made on the same database one after the other. */
export const ATTACKS: readonly Attack[] = [
  ...combined,
  ...SINGLE.map(([name, ...files]) => ({ name, files })),
]
