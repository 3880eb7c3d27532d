import { expect, test } from 'vitest'
import { createLog } from '../../src/platform/log.js'
import { AuditTrail } from '../../src/platform/postgres/audit-trail.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const { client, database } = await startApp()

async function verify() {
  const own = new Database({ endpoint: parseDatabaseUrl(database.url), poolMax: 1 })
  try {
    return await new AuditTrail({
      database: own,
      serverId: 'test',
      log: createLog('silent'),
    }).verify()
  } finally {
    await own.close()
  }
}

const rows = () =>
  database.query<{ tool: string; outcome: string; session_id: string; transaction_id: string }>(
    'select tool, outcome, session_id, transaction_id from catalyst.audit_log order by audit_id',
  )

const withoutTrigger = (statement: string) =>
  database.query(`
    alter table catalyst.audit_log disable trigger audit_log_is_append_only;
    ${statement};
    alter table catalyst.audit_log enable trigger audit_log_is_append_only`)

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
