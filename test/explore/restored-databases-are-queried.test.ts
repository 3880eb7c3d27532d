import { expect, test } from 'vitest'
import { createBackup, logSettings, newFolder } from '../backups/log-support.js'
import { startApp, TestClient } from '../support/app.js'
import { newDataDir } from '../support/embedded.js'
import { ServedProcess } from '../support/served.js'

/** Takes a full backup and restores it beside. */
async function restored(from: TestClient): Promise<{ restore_id: string; database: string }> {
  const { backup_id } = await createBackup(from, 'full')
  return from.tool('restore_backup', { backup_id })
}

test('a restored database is asked like the one that is there: as it was, and only to read', async () => {
  const env = logSettings(newFolder(), { full_every_hours: 8_760 })
  const { client, database } = await startApp({ env })
  await database.query(`
    create table public.orders (id int primary key, note text);
    insert into public.orders values (1, 'then');
    create type public.mood as enum ('calm', 'wild');
    create table public.feelings (mood public.mood);
    insert into public.feelings values ('wild');
    create table public.own (who text);
    insert into public.own values ('me'), ('you');
    alter table public.own enable row level security;
    create policy mine on public.own using (who = 'me');
    create function public.boom() returns int language sql as 'select 1'`)
  // Nobody has asked for anything before: the reader has been given nothing.
  const { restore_id, database: name } = await restored(client)
  const ask = (sql: string, more: Record<string, unknown> = { restore_id }) =>
    client.tool('query_database', { sql, ...more })
  await database.query(`update public.orders set note = 'now'`)
  expect((await ask('select note from orders')).rows).toEqual([['then']])
  expect((await ask('select note from orders', {})).rows).toEqual([['now']])
  expect((await ask('select count(*) from catalyst.positions')).rows).toEqual([['0']])
  // Row security, as there.
  expect((await ask('select who from own')).rows).toEqual([['me']])
  expect((await ask('select who from own', {})).rows).toEqual([['me']])
  // Its types have other oids than here, where others may have theirs.
  expect(await ask('select mood from feelings')).toMatchObject({
    columns: [{ name: 'mood', type: 'public.mood' }],
    rows: [['wild']],
  })
  expect((await ask('select current_database() as db, current_user as who')).rows).toEqual([
    [name, 'catalyst_reader'],
  ])
  const refused = (sql: string) => client.refused('query_database', { sql, restore_id })
  for (const [sql, code] of [
    ['delete from orders', 'permission_denied'],
    ['select boom()', 'permission_denied'],
    ['select * from catalyst.confirmations', 'permission_denied'],
    ['select * from nowhere', 'invalid_input'],
  ] as const) {
    expect((await refused(sql)).code, sql).toBe(code)
  }
  // Nobody is left in it: it can be dropped at once.
  await ask('select 1')
  const { confirm_token } = await client.refused('discard_restore', { restore_id })
  expect(await client.tool('discard_restore', { restore_id, confirm_token })).toMatchObject({
    discarded: true,
  })
  const gone = await client.refused('query_database', { sql: 'select 1', restore_id })
  expect(gone.code).toBe('not_found')
})

test('so is one on the embedded server', async () => {
  const served = await ServedProcess.start({ CATALYST_DATA_DIR: newDataDir() })
  const own = await TestClient.connect(served.url, 'modern')
  try {
    const { restore_id } = await restored(own)
    const sql = 'select count(*) > 0 as some from catalyst.schema_migrations'
    expect(await own.tool('query_database', { sql, restore_id })).toMatchObject({ rows: [[true]] })
  } finally {
    await own.close()
    await served.kill()
  }
})
