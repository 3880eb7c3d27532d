/** Statements that try to do more than read, by class. `orders` and `secrets` are there; the number 4711 is a large object. */

const WRITES = [
  'delete from orders',
  'insert into orders values (0, 0)',
  'update orders set qty = 0',
  'truncate orders',
  'drop table orders',
  'create table public.made (id int)',
]

const JOINS = ['; ', ';\n', '; -- x\n', ';/* x */', '/* ; */; ']
const stacked = [
  ...WRITES.flatMap((write) => JOINS.map((join) => `select 1${join}${write}`)),
  ...['commit', 'rollback', 'end', 'set transaction read write'].map(
    (word) => `${word}; delete from orders`,
  ),
  'select 1; commit; begin; delete from orders; commit',
]

const quotes = [
  `select '\\'; delete from orders; --'`,
  `select $$ $$; delete from orders; select $$ $$`,
  `select $a$ $a$; delete from orders`,
  `select U&'\\0027'; delete from orders`,
  `select 'a' -- '\n; delete from orders`,
  `select /* /* */ 1; */ 1; delete from orders`,
  `select "a""; delete from orders`,
  `/**/delete/**/from/**/orders`,
  `--\ndelete from orders`,
  `\u00a0delete from orders`,
  `(((delete from orders)))`,
  `select 1 where $$'$$ = '''' ; delete from orders`,
  `do $$ begin delete from orders; end $$`,
  `select "pg_sleep"(20)`,
  `select U&"pg\\005fsleep"(20)`,
  `select PG_SLEEP(20)`,
  `select pg_catalog."pg_sleep"(20)`,
]

const changing = [
  ...[
    'delete from orders',
    'update orders set qty = 0',
    'insert into orders values (0, 0)',
  ].flatMap((write) => [
    `with w as (${write} returning 1) select * from w`,
    `with a as (select 1), w as (${write} returning 1) select * from a`,
    `select * from (with w as (${write} returning 1) select * from w) as q`,
    `select exists (with w as (${write} returning 1) select * from w)`,
    `with recursive w as (${write} returning 1) select * from w limit 1`,
    `explain analyze ${write}`,
    `explain (analyze) ${write}`,
    `explain (analyze on, format json) ${write}`,
    `prepare p as ${write}`,
  ]),
  'select * into public.made from orders',
  'create table public.made as select 1',
  'select id from orders for update',
  'select id from orders for share',
  'select * from (select id from orders for no key update) as q',
  'table orders for update',
  `merge into orders using orders as o on false when not matched then do nothing`,
]

const writing = [
  ...[
    "setval('orders_id_seq', 1)",
    `nextval('orders_id_seq')`,
    `currval('orders_id_seq')`,
    'lastval()',
  ],
  ...[
    'lo_create(0)',
    'lo_creat(-1)',
    'lo_unlink(4711)',
    `lo_put(4711, 0, 'x')`,
    `lo_from_bytea(0, 'x')`,
  ],
  ...[
    'lo_get(4711)',
    'lo_open(4711, 131072)',
    `lo_export(4711, '/tmp/x')`,
    `lo_import('/etc/passwd')`,
  ],
  ...[
    `pg_notify('a', 'b')`,
    `pg_logical_emit_message(false, 'a', 'b')`,
    'txid_current()',
    'pg_current_xact_id()',
  ],
  ...[
    `pg_create_restore_point('a')`,
    'pg_switch_wal()',
    'pg_stat_reset()',
    `pg_stat_reset_shared('bgwriter')`,
  ],
  ...[`gin_clean_pending_list('orders_gin')`, `brin_summarize_new_values('orders_brin')`],
  ...[
    `pg_import_system_collations('public')`,
    `set_config('work_mem', '1GB', false)`,
    'setseed(0.5)',
  ],
  ...[
    `pg_restore_relation_stats('relname', 'orders')`,
    `pg_clear_relation_stats('public', 'orders')`,
    'timeofday()',
  ],
].flatMap((call) => [
  `select ${call}`,
  `select 1 from ${call} as f`,
  `select id from orders where (${call}) is not null`,
])

const textSql = [
  `query_to_xml('delete from orders', true, true, '')`,
  `query_to_xml_and_xmlschema('delete from orders', true, true, '')`,
  `query_to_xmlschema('delete from orders', true, true, '')`,
  `cursor_to_xml('c', 1, true, true, '')`,
  `table_to_xml('orders', true, true, '')`,
  `schema_to_xml('public', true, true, '')`,
  `database_to_xml(true, true, '')`,
  `ts_rewrite('a'::tsquery, 'select 1, 2')`,
  `pg_input_is_valid('1', 'evil')`,
  `pg_input_error_info('1', 'evil')`,
  `domain_in('1', 'evil'::regtype, -1)`,
  `public.helper()`,
  `helper()`,
].flatMap((call) => [
  `select ${call}`,
  `select * from ${call} as f`,
  `select 1 order by (${call})::text`,
])
textSql.push(`select * from ts_stat('delete from orders')`, `select ts_stat('select 1')`)

const files = [
  ...[
    `pg_read_file('/etc/passwd')`,
    `pg_read_binary_file('/etc/passwd')`,
    `pg_ls_dir('/')`,
    `pg_stat_file('/etc/passwd')`,
  ],
  ...[
    'pg_ls_waldir()',
    'pg_ls_logdir()',
    'pg_ls_tmpdir()',
    `pg_current_logfile()`,
    `pg_relation_filepath('orders')`,
  ],
  ...[
    `pg_tablespace_location(1663)`,
    'pg_hba_file_rules()',
    'pg_show_all_file_settings()',
    'pg_config()',
  ],
].flatMap((call) => [`select ${call}`, `select * from ${call} as f`])
files.push(
  `copy orders to '/tmp/x'`,
  `copy (select 1) to program 'touch /tmp/x'`,
  `copy orders from program 'echo 1'`,
  `load 'auto_explain'`,
  'select * from pg_hba_file_rules',
)

const sessions = [
  ...[
    'pg_advisory_lock',
    'pg_advisory_xact_lock',
    'pg_try_advisory_lock',
    'pg_advisory_lock_shared',
    'pg_advisory_unlock',
  ].flatMap((name) => [
    `select ${name}(1)`,
    `select * from ${name}(1)`,
    `select (1::bigint).${name}`,
    `select g.${name} from unnest(array[1::bigint]) as g`,
  ]),
  ...[
    "set work_mem = '1GB'",
    'set local role postgres',
    'reset all',
    'discard all',
    'listen a',
    'notify a',
    'lock table orders',
  ],
  ...[
    'begin',
    'commit',
    'savepoint a',
    'declare c cursor with hold for select 1',
    'prepare p as select 1',
    'execute p',
    'deallocate all',
  ],
  ...[
    'set session authorization postgres',
    'show data_directory',
    'vacuum orders',
    'analyze orders',
    'checkpoint',
    'call p()',
  ],
  `select pg_export_snapshot()`,
  `select pg_create_logical_replication_slot('attack', 'test_decoding')`,
  `select pg_create_physical_replication_slot('attack')`,
  `select pg_replication_origin_create('attack')`,
]

const steer = [
  ...[
    'pg_terminate_backend(pg_backend_pid())',
    'pg_cancel_backend(1)',
    'pg_reload_conf()',
    'pg_rotate_logfile()',
    'pg_promote()',
  ],
  ...[
    'pg_log_backend_memory_contexts(pg_backend_pid())',
    'pg_wal_replay_pause()',
    `pg_drop_replication_slot('a')`,
  ],
  ...['pg_sleep(20)', `pg_sleep_for('20 s')`, `pg_sleep_until(now() + interval '20 s')`],
].flatMap((call) => [
  `select ${call}`,
  `select count(*) from orders where ${call.replace(/^pg_sleep/, 'pg_sleep')} is null`,
])
steer.push(
  `select (20::float8).pg_sleep`,
  `select g.pg_sleep from unnest(array[20::float8]) as g`,
  `select pg_terminate_backend(pid) from pg_stat_activity`,
)

const planned = [
  `select repeat(repeat('x', 1000000), 1000)`,
  `select length(repeat(repeat(repeat('x', 1000), 1000), 1000))`,
  `explain select repeat(repeat('x', 1000000), 1000)`,
  `select lpad('x', 100000000)`,
  `select rpad('', 500000000, 'abc')`,
  `select replace(repeat('a', 1000), 'a', repeat('b', 10000))`,
  `select format('%1000000000s', 'x')`,
  `select format('%*s', 1000000000, 'x')`,
  `select array_fill(0, array[10000, 10000])`,
  `select 'x'::char(10000000)`,
  `select repeat('x', n) from (values (1000000000)) as v(n)`,
  `select repeat(a, b) from (select 'x' as a, 999999999 as b) as q`,
  `with a as (select repeat('x', 1000) as s), b as (select repeat(s, 1000) as t from a) select repeat(t, 1000) from b`,
  `select factorial(100000)`,
  `select 10::numeric ^ 100000`,
  `select id from orders where id::text = repeat(repeat('x', 100000), 1000)`,
  `select repeat('x', (select 1000000000))`,
  `select 1 limit length(repeat('x', 1000000000))`,
]

const large = [
  `select string_agg(repeat('x', 100), '') from generate_series(1, 1000000)`,
  `select array_agg(g) from generate_series(1, 100000000) as g`,
  `select array(select generate_series(1, 100000000))`,
  `with recursive t(s) as (select 'x'::text union all select s || s from t limit 40) select max(length(s)) from t`,
  `with recursive t(n) as (select 1 union all select n from t) select * from t`,
  `with recursive t(n) as (values (1) union select n + 1 from t) select count(*) from t`,
  `select '${'x'.repeat(100_001)}'`,
  `select ${'('.repeat(300)}1${')'.repeat(300)} + ${'-'.repeat(0)}1 ${'+ 1 '.repeat(300)}`,
  `select ${'not '.repeat(300)}true`,
]

const unseen = [
  'select * from trap_view',
  'select * from trap_policy',
  `select '1'::evil`,
  `select cast('1' as public.evil)`,
  `select public.evil('1')`,
  `select * from json_populate_record(null::trap_row, '{"a": 1}')`,
  `select * from json_to_record('{"a": 1}') as x(a evil)`,
  'select o.helper_of from orders as o',
  'select 1 operator(public.===) 2',
  'select 1 === 2',
  'select id from orders order by id using operator(public.===)',
  'select * from orders tablesample public.helper(1)',
]

const leaks = [
  'select * from catalyst.confirmations',
  'select * from catalyst.idempotency_keys',
  'select * from catalyst.db_sessions',
  'select * from catalyst.jobs',
  'select (select count(*) from catalyst.confirmations)',
  'select * from orders where exists (select from catalyst.confirmations)',
  'select * from secret_view',
  'select * from pg_authid',
  'select * from pg_shadow',
  'select * from pg_catalog.pg_authid',
  'select * from pg_user_mapping',
  'select * from pg_statistic',
  'select * from pg_stat_activity',
  'select query from pg_stat_get_activity(null)',
  'select pg_stat_get_backend_activity(1)',
  'select * from pg_settings',
  `select current_setting('data_directory')`,
  'select * from pg_largeobject',
  'select * from pg_subscription',
  `select what::int from secrets`,
  `select ('x' || what)::regclass from secrets`,
  `select what::json from secrets`,
  `select what::date from secrets`,
  `select 1 / (length(what) - length(what)) from secrets`,
  `select * from other.public.orders`,
]

/** Every attack by its class. */
export const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  stacked,
  'comments and quotes': quotes,
  'data-changing queries': changing,
  'functions that write': writing,
  'functions that run text': textSql,
  'files and programs': files,
  'sessions and locks': sessions,
  'kill and steer': steer,
  'memory while planning': planned,
  'size and time': large,
  'code a parser cannot see': unseen,
  'errors and catalogs': leaks,
}
