import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.js'
import { logSettings, newFolder } from './log-support.js'
import { connect } from './truth.js'

test('some tables are restored beside, to a moment; foreign keys to others are told; what was made is dropped again', async () => {
  const app = await startApp({ env: logSettings(newFolder(), { full_every_hours: 8_760 }) })
  const { client, database } = app
  await database.query(`
    create schema "a""b$1";
    create table "a""b$1".house (id bigint generated always as identity primary key, name text);
    create table "a""b$1"."drop table x; --" (id int primary key, house bigint references "a""b$1".house, "q'$2" text);
    create table public.other (id int primary key, house bigint references "a""b$1".house)`)
  await database.query(
    `insert into "a""b$1".house (name) select 'h' || n from generate_series(1, 10) n`,
  )
  await database.query(
    `insert into "a""b$1"."drop table x; --" select n, n, 'v' from generate_series(1, 10) n`,
  )
  const full = await client.tool('create_backup', { type: 'full' })
  const [{ now } = { now: '' }] = await database.query<{ now: string }>(
    'select clock_timestamp() as now',
  )
  await database.query(`update "a""b$1"."drop table x; --" set "q'$2" = 'later'`)
  const sealed = await client.tool('create_backup', { type: 'incremental' })
  const name = 'a"b$1.drop table x; --'
  const asked = { backup_id: sealed.backup_id, tables: [name] }

  const planned = await client.tool('restore_backup', { ...asked, target_time: now, dry_run: true })
  expect(planned).toMatchObject({ restore_id: null, database: null, tables_restored: 1 })
  expect(planned.plan.full).toBe(full.backup_id)
  expect(planned.next_commit_at > now).toBe(true)
  for (const [target, value] of [
    [now, 'v'],
    [undefined, 'later'],
  ] as const) {
    const restored = await client.tool('restore_backup', {
      ...asked,
      ...(target ? { target_time: target } : {}),
    })
    expect(restored).toMatchObject({ restore_status: 'success', tables_restored: 1, rows: 10 })
    expect(restored.warnings.join()).toContain('refers to a"b$1.house, which was not restored')
    const side = await connect(database.url.replace(`/${database.name}?`, `/${restored.database}?`))
    onTestFinished(() => side.end())
    const { rows } = await side.query(
      `select distinct "q'$2" as value from "a""b$1"."drop table x; --"`,
    )
    expect(rows).toEqual([{ value }])
    const { rows: tables } = await side.query(
      `select relname from pg_class where relkind = 'r' and relnamespace in ('public'::regnamespace, '"a""b$1"'::regnamespace, 'cdb_meta'::regnamespace) order by 1`,
    )
    expect(tables.map(({ relname }) => relname)).toEqual(['drop table x; --', 'restored_from'])
    expect((await client.resource('catalyst://db/backups/restores')).restores).toMatchObject([
      { restore_id: restored.restore_id, database: restored.database, backup_id: sealed.backup_id },
    ])
    const discard = { restore_id: restored.restore_id }
    const { confirm_token } = await client.refused('discard_restore', discard)
    expect(await client.refused('discard_restore', { ...discard, confirm_token })).toMatchObject({
      code: 'conflict',
    })
    await side.end()
    const again = await client.refused('discard_restore', discard)
    expect(
      await client.tool('discard_restore', { ...discard, confirm_token: again.confirm_token }),
    ).toEqual({ discarded: true, database: restored.database })
  }
  expect((await client.resource('catalyst://db/backups/restores')).restores).toEqual([])
  const refused = (args: Record<string, unknown>) => client.refused('restore_backup', args)
  expect(await refused({ ...asked, tables: ['nowhere'] })).toMatchObject({ code: 'not_found' })
  expect(await refused({ backup_id: '../../x' })).toMatchObject({ code: 'invalid_input' })
  expect(await refused({ backup_id: '20200101T000000Z-F-000000' })).toMatchObject({
    code: 'not_found',
  })
  for (const target_time of ['2020-01-01T00:00:00Z', '2999-01-01T00:00:00Z']) {
    const body = await refused({ backup_id: sealed.backup_id, target_time })
    expect(body).toMatchObject({ code: 'precondition_failed' })
    expect(body.hint).toMatch(/between \d{4}-.* and \d{4}-/)
  }
})
