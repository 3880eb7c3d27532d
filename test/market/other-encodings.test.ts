import { afterAll, describe, expect, inject, test } from 'vitest'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { signal } from '../trading/signals.js'
import { fill } from '../trading/support.js'
import { story, uniqueHeadline, uniqueSymbol } from './support.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }
const any = await createDatabase({ empty: true })
afterAll(() => any.drop())
const [server] = await any.query(`select current_setting('server_version_num')::int as version`)
/** Before this there was one provider of locales, and no word for it. */
const PROVIDER = server?.version < 150_000 ? '' : 'locale_provider libc'

/** A database of an encoding, and the product on it. */
async function served(encoding: string) {
  const database = await createDatabase({
    empty: true,
    options: `encoding '${encoding}' ${PROVIDER} lc_collate 'C' lc_ctype 'C'`,
  })
  const app = await startApp({ database })
  afterAll(async () => {
    await app.close()
    await database.drop()
  })
  return { ...app, database }
}

/** Its own characters, those it lacks, and those of its own whose folded form it lacks. */
const ENCODINGS = [
  { encoding: 'LATIN1', own: 'é', lacking: ['€', '株', '🚀'], folded: ['µ'] },
  { encoding: 'EUC_JP', own: '株', lacking: ['€', '🚀', '한'], folded: [] },
]

describe.each(ENCODINGS)('in $encoding', async ({ encoding, own, lacking, folded }) => {
  const { client, database } = await served(encoding)
  const other = lacking[0] ?? ''
  const U = `U+${other.codePointAt(0)?.toString(16).toUpperCase().padStart(4, '0')}`

  test('the character is that item’s error with its field, and the rest of a batch goes on', async () => {
    const texts = (mark: string) => [
      story({ headline: `${uniqueHeadline()} ${mark}` }),
      story({ headline: uniqueHeadline(), source: `The ${mark} Times` }),
      story({ headline: uniqueHeadline(), snippet: `a ${mark} b` }),
      story({ headline: uniqueHeadline(), url: `https://example.com/${mark}` }),
      story({ headline: uniqueHeadline(), catalyst_indicators: { keywords: ['a', mark] } }),
    ]
    const fields = ['headline', 'source', 'snippet', 'url', 'catalyst_indicators.keywords']
    const refusedOnes = [
      ...lacking.flatMap(texts),
      ...folded.map((mark) => story({ headline: `${uniqueHeadline()} ${mark}m` })),
    ]
    const named = [...lacking.flatMap(() => fields), ...folded.map(() => 'headline')]
    const stored = texts(own)
    // As many as are stored by COPY, and as few as are not.
    for (const more of [0, 600]) {
      const filler = Array.from({ length: more }, () => story({ headline: uniqueHeadline() }))
      const articles = [stored[0], ...refusedOnes, null, ...stored.slice(1), ...filler]
      const answer = await client.tool('persist_news_batch', { articles, deduplicate: true })
      expect(answer.errors.slice(0, named.length)).toEqual(
        named.map((field, i) => ({
          index: i + 1,
          code: 'invalid_input',
          message: expect.stringMatching(`^${field}: the encoding of the database lacks .* U\\+`),
        })),
      )
      expect(answer.rejected).toBe(named.length + 1)
      expect(answer.new_articles + answer.duplicates).toBe(stored.length + more)
      const [first] = answer.news_ids
      const details = await client.resource(`news/${first}`)
      expect(details.headline).toBe(stored[0]?.headline)
    }
  })

  test('a call names the field of the character, alone, in a session and in a transaction', async () => {
    const refused = (tool: string, args: Record<string, unknown>, field: string) =>
      expect(client.refused(tool, args)).resolves.toMatchObject({
        code: 'invalid_input',
        message: `${field}: the encoding of the database lacks the character ${U}`,
      })
    const bad = story({ headline: `${uniqueHeadline()} ${other}` })
    await refused('persist_news_catalyst', bad, 'headline')
    await refused(
      'persist_trading_signal',
      signal({ indicators: { price: 50, notes: [{ text: other }] } }),
      'technical_context.indicators.notes[0].text',
    )
    await refused(
      'persist_trading_signal',
      signal({ indicators: { price: 50, [other]: 1 } }),
      'technical_context.indicators',
    )
    const entry = { symbol: uniqueSymbol(), catalyst_tracking: { entry_catalyst: other } }
    await refused('persist_trade_execution', fill(entry), 'catalyst_tracking.entry_catalyst')
    await refused('sync_source_metrics', { sources: ['Reuters', other] }, 'sources[1]')
    const { session_id } = await client.tool('start_db_session')
    await refused('persist_news_catalyst', { ...bad, session_id }, 'headline')
    const operations = [story(), bad].map((params) => ({ tool: 'persist_news_catalyst', params }))
    const inOne = { session_id, operations, commit: true }
    await refused('execute_transaction', inOne, 'operations[1].params.headline')
    const good = story({ headline: `${uniqueHeadline()} ${own}` })
    await client.tool('persist_news_catalyst', { ...good, session_id })
    await client.tool('end_db_session', { session_id, outcome: 'commit' })
    await expect(client.resource(`news?source=${encodeURIComponent(other)}`)).rejects.toThrow(
      `source: the encoding of the database lacks the character ${U}`,
    )
    for (const value of [other, encodeURIComponent(other)]) {
      const uri = `news?source=${value}`
      const told = { message: expect.stringMatching(/^source: the encoding/) }
      const read = await client.refused('read_resource', { uri })
      expect(read).toMatchObject(told)
      expect(read.hint).not.toContain('written')
      expect((await client.refused('read_resource', { uri: `catalyst://${uri}` })).message).toBe(
        read.message,
      )
    }
  })

  test('a tool of a name that cannot be stored does not stop the audit', async () => {
    await expect(client.sdk.callTool({ name: `${own}${other}`, arguments: {} })).rejects.toThrow()
    await waitFor(
      async () => (await database.query(`select 1 from catalyst.audit_log where tool = '??'`))[0],
    )
  })

  test('the doctor warns', async () => {
    const { code, stdout } = await runCommand(['doctor', '--json'], {
      DATABASE_URL: database.url,
      ...redis,
    })
    const { findings } = JSON.parse(stdout)
    expect(findings.filter(({ status }: { status: string }) => status === 'problem')).toEqual([])
    expect(code).toBe(7)
    expect(findings).toContainEqual({
      check: 'Encoding',
      status: 'warning',
      detail: expect.stringContaining(encoding),
      fix: expect.stringContaining('--encoding=UTF8'),
    })
  })
})

test('a database of SQL_ASCII is refused at the start, with the fix', async () => {
  const { client, database } = await served('SQL_ASCII')
  const reason = /SQL_ASCII.*createdb --template=template0 --encoding=UTF8/
  const { status, reasons } = await client.resource('db/status')
  expect(status).toBe('unhealthy')
  expect(reasons).toContainEqual(expect.stringMatching(reason))
  const error = await client.refused('persist_news_catalyst', story())
  expect(error).toMatchObject({ code: 'unavailable', retryable: false })
  expect(error.message).toMatch(reason)
  const { code, stdout } = await runCommand(['doctor', '--json'], {
    DATABASE_URL: database.url,
    ...redis,
  })
  expect(code).toBe(4)
  expect(JSON.parse(stdout).findings).toContainEqual({
    check: 'PostgreSQL',
    status: 'problem',
    detail: expect.stringMatching(reason),
    fix: expect.stringContaining('pg_dump'),
  })
  const up = await runCommand(['migrate', 'up'], { DATABASE_URL: database.url, ...redis })
  expect(up.code).toBe(4)
  expect(up.stderr).toMatch(reason)
  const schemas = await database.query(`select 1 from pg_namespace where nspname = 'catalyst'`)
  expect(schemas).toEqual([])
})
