import { expect, test } from 'vitest'
import { chain } from '../../src/platform/postgres/audit-chain.js'
import type { ChainedEntry } from '../../src/platform/postgres/audit-trail.sql.js'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { call, Trail, verify as verifyChainOf } from './trail.js'

const { client, database } = await startApp()
const PARTITION = `catalyst.audit_log_${new Date().toISOString().slice(0, 7).replace('-', '')}`

const verify = () => verifyChainOf(database.url)

const rows = () =>
  database.query<{ tool: string; outcome: string; session_id: string; transaction_id: string }>(
    'select tool, outcome, session_id, transaction_id from catalyst.audit_log order by audit_id',
  )

const withoutTrigger = (statement: string) =>
  database.query(`
    alter table ${PARTITION} disable trigger audit_log_is_append_only;
    ${statement.replace('catalyst.audit_log', PARTITION)};
    alter table ${PARTITION} enable trigger audit_log_is_append_only`)

test('every tool call leaves one entry: success, failure and session alike, and never its arguments', async () => {
  await client.tool('persist_news_catalyst', article({ headline: 'A secret headline' }))
  await client.refused('persist_news_catalyst', { nonsense: true })
  const { session_id } = await client.tool('start_db_session')
  await client.tool('persist_news_catalyst', { ...article(), session_id })
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  const entries = await waitFor(async () => {
    const found = await rows()
    return found.length >= 5 && found
  })
  expect(entries.map(({ tool, outcome }) => `${tool} ${outcome}`).sort()).toEqual([
    'end_db_session ok',
    'persist_news_catalyst invalid_input',
    'persist_news_catalyst ok',
    'persist_news_catalyst ok',
    'start_db_session ok',
  ])
  expect(entries.filter((entry) => entry.session_id === session_id)).toHaveLength(2)
  expect(entries.some(({ transaction_id }) => transaction_id !== null)).toBe(true)
  const [dump] = await database.query<{ text: string }>(
    `select string_agg(a::text, ' ') as text from catalyst.audit_log as a`,
  )
  expect(dump?.text).not.toContain('secret headline')
})

test('the chain is intact as written, and shows a changed, a removed and a cut-off entry', async () => {
  expect(await verify()).toMatchObject({ intact: true, broken_at: null })
  await expect(database.query('delete from catalyst.audit_log')).rejects.toThrow('append-only')
  await expect(database.query(`update catalyst.audit_log set outcome = 'x'`)).rejects.toThrow(
    'append-only',
  )
  // The trigger of the parent is not asked by who names the partition.
  for (const statement of [`delete from ${PARTITION}`, `truncate ${PARTITION}`]) {
    await expect(database.query(statement)).rejects.toThrow('append-only')
  }
  await withoutTrigger(`update catalyst.audit_log set outcome = 'ok' where outcome <> 'ok'`)
  const changed = await verify()
  expect(changed.intact).toBe(false)
  await withoutTrigger(
    `update catalyst.audit_log set outcome = 'invalid_input' where audit_id = ${changed.broken_at}`,
  )
  expect((await verify()).intact).toBe(true)
  await withoutTrigger(
    'delete from catalyst.audit_log where audit_id = (select max(audit_id) from catalyst.audit_log)',
  )
  expect((await verify()).intact).toBe(false)
})

test('the last entry, written anew with a hash that fits, is not what the head says', async () => {
  const { database } = await startApp()
  const trail = new Trail(database.url)
  for (const tool of ['a', 'b', 'c']) trail.audit.record(call(tool))
  await trail.stop()
  const before = await verifyChainOf(database.url)
  expect(before).toMatchObject({ intact: true, entries: 3 })
  const { audit_id } = before.head
  const [last] = await database.query<ChainedEntry>(
    `select a.*, duration_ms::float8 as duration_ms, month::text as month,
       to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at
     from catalyst.audit_log a where audit_id = ${audit_id}`,
  )
  if (!last) throw new Error('there is no last entry')
  const { audit_id: _id, hash: _hash, previous_hash, month, ...entry } = last
  const forged = { ...entry, tool: 'innocent' }
  const link = { audit_id: audit_id - 1, hash: previous_hash }
  const [placed] = chain([forged], link, month)
  await database.query(`
    alter table ${PARTITION} disable trigger audit_log_is_append_only;
    update ${PARTITION} set tool = 'innocent', hash = '${placed?.hash}' where audit_id = ${audit_id}`)
  expect(await verifyChainOf(database.url)).toMatchObject({ intact: false, broken_at: audit_id })
  await database.query(`update catalyst.audit_head set hash = '${placed?.hash}'`)
  expect(await verifyChainOf(database.url)).toMatchObject({ intact: true })
})
