import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { runCommand } from '../support/cli.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { connectAs, post, Tokens } from './support.js'

const tokens = new Tokens({
  reader: 'db:read',
  writer: 'db:read,db:write',
  second: 'db:read,db:write',
  narrow: 'db:read,db:write,toolset:explore,toolset:market',
  leaver: 'db:read',
})
const { url, database } = await startApp({
  env: { CATALYST_TOKENS: tokens.path },
  token: tokens.of('reader'),
})
const bearer = (name: string) => ({ authorization: `Bearer ${tokens.of(name)}` })

test.each([
  ['no token', {}],
  ['a made-up token', { authorization: 'Bearer cdb_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' }],
  ['another scheme', { authorization: 'Basic cmVhZGVyOg==' }],
  ['an empty one', { authorization: 'Bearer ' }],
])('%s is answered 401 with a challenge', async (_, headers) => {
  const { status, response, text } = await post(url, headers as Record<string, string>)
  expect(status).toBe(401)
  expect(response.headers.get('www-authenticate')).toMatch(/^Bearer /)
  expect(text).not.toContain('tools')
})

test('what a token is not good for is refused where it would run, and audited', async () => {
  const call = { name: 'persist_news_catalyst', arguments: article() }
  const { status, response } = await post(url, bearer('reader'), 'tools/call', call)
  expect(status).toBe(403)
  expect(response.headers.get('www-authenticate')).toMatch(/insufficient_scope.*db:write/)
  await waitFor(
    async () =>
      (
        await database.query(
          `select 1 from catalyst.audit_log where principal = 'reader'
           and tool = 'persist_news_catalyst' and outcome = 'permission_denied'`,
        )
      ).length > 0,
  )
  const allowed = await post(url, bearer('writer'), 'tools/call', call)
  expect(allowed.status).toBe(200)
  expect(allowed.text).toContain('news_id')
})

test('the figures of /metrics are for who may read', async () => {
  const metrics = new URL('/metrics', url)
  expect((await fetch(metrics)).status).toBe(401)
  expect((await fetch(metrics, { headers: bearer('reader') })).status).not.toBe(401)
  for (const open of ['/healthz', '/readyz'])
    expect((await fetch(new URL(open, url))).ok).toBe(true)
})

test('a transaction and a migration need their own scopes', async () => {
  const writer = await connectAs(url, tokens.of('writer'))
  await expect(
    writer.tool('create_migration', { name: 'x', up_sql: 'select 1', down_sql: 'select 1' }),
  ).rejects.toThrow(/db:migrate|403/)
  const { session_id } = await writer.tool('start_db_session')
  const operations = [{ tool: 'persist_news_catalyst', params: article() }]
  expect(await writer.tool('execute_transaction', { session_id, operations })).toMatchObject({
    committed: true,
  })
})

test.each(['legacy', 'modern'] as const)(
  'in the %s era a token is shown its own toolsets, and its URL only narrows them',
  async (era) => {
    const narrow = await connectAs(url, tokens.of('narrow'), era)
    const names = (await narrow.sdk.listTools()).tools.map(({ name }) => name)
    expect(names).toContain('persist_price_bars')
    expect(names).not.toContain('persist_trade_execution')
    const narrower = await connectAs(`${url}?toolsets=explore,trading`, tokens.of('narrow'), era)
    expect((await narrower.sdk.listTools()).tools.map(({ name }) => name)).toEqual([
      'read_resource',
    ])
  },
)

test('two tokens never meet: sessions, keys and connections are their own', async () => {
  const [first, second] = [
    await connectAs(url, tokens.of('writer')),
    await connectAs(url, tokens.of('second')),
  ]
  const { session_id } = await first.tool('start_db_session')
  const stolen = { session_id, outcome: 'commit' }
  expect(await second.refused('end_db_session', stolen)).toMatchObject({ code: 'not_found' })
  const call = { ...article(), idempotency_key: 'same' }
  const stored = await first.tool('persist_news_catalyst', call)
  const again = await second.tool('persist_news_catalyst', { ...call, ...article() })
  expect(again.replayed).toBeUndefined()
  expect(again.news_id).not.toBe(stored.news_id)
})

test('a token that was taken out of the file opens nothing any more', async () => {
  expect((await post(url, bearer('leaver'))).status).toBe(200)
  tokens.revoke('leaver')
  expect((await post(url, bearer('leaver'))).status).toBe(401)
  expect((await post(url, bearer('reader'))).status).toBe(200)
})

test('who sends wrong tokens is made to wait, and so is who sends too much', async () => {
  const policy = `${tokens.path}.toml`
  writeFileSync(policy, '[limits]\nrequests_per_minute = 5\n')
  const own = await startApp({
    database,
    env: { CATALYST_TOKENS: tokens.path, CATALYST_POLICY_FILE: policy },
    token: tokens.of('reader'),
  })
  const statuses: number[] = []
  for (let at = 0; at < 8; at++) statuses.push((await post(own.url, bearer('second'))).status)
  expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429])
  const limited = await post(own.url, bearer('second'))
  expect(Number(limited.response.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(JSON.parse(limited.text).error.data).toMatchObject({
    code: 'rate_limited',
    retry_after_ms: expect.any(Number),
  })
  for (let at = 0; at < 1_000; at++) {
    const { status } = await post(own.url, { authorization: `Bearer cdb_wrong${at}` })
    expect(status).toBe(at <= 20 ? 401 : 429)
  }
})

test('without tokens only loopback is bound', async () => {
  const refused = await runCommand(['serve'], { DATABASE_URL: database.url, HOST: '0.0.0.0' })
  expect(refused).toMatchObject({ code: 3, stderr: expect.stringContaining('CATALYST_TOKENS') })
})

test('"token create" prints a token once and keeps only its hash', async () => {
  const path = `${tokens.path}.new`
  const env = { DATABASE_URL: database.url, CATALYST_TOKENS: path }
  const made = await runCommand(['token', 'create', 'feeds', '--scopes', 'db:read,db:write'], env)
  expect(made.code).toBe(0)
  const token = made.stdout.trim()
  expect(readFileSync(path, 'utf8')).toMatch(/^feeds:db:read,db:write:[0-9a-f]{64}\n$/)
  expect(readFileSync(path, 'utf8')).not.toContain(token)
  expect(statSync(path).mode & 0o077).toBe(0)
  const own = await startApp({ database, env: { CATALYST_TOKENS: path }, token })
  expect(await own.client.resource('db/status')).toHaveProperty('status')
  for (const [name, scopes, said] of [
    ['a b', 'db:read', 'a name has'],
    ['feeds', 'db:everything', 'there is no scope'],
    ['local', 'db:read', 'own'],
    ['feeds', 'toolset:cache', 'no scope'],
  ] as const) {
    const refused = await runCommand(['token', 'create', name, '--scopes', scopes], env)
    expect(refused).toMatchObject({ code: 2, stderr: expect.stringContaining(said) })
  }
})

test('a file that cannot be used ends the start with what is wrong with it', async () => {
  const path = `${tokens.path}.bad`
  const env = { DATABASE_URL: database.url, CATALYST_TOKENS: path }
  expect(await runCommand(['serve'], env)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('cannot be read'),
  })
  writeFileSync(path, 'reader:db:read:nothex\n')
  expect(await runCommand(['serve'], env)).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('line 1'),
  })
})

test('a session of the 2025 era belongs to the token that opened it', async () => {
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'test', version: '0' },
  }
  const send = (name: string, session: Record<string, string>, method: string, body: object) =>
    fetch(url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        ...bearer(name),
        ...session,
      },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: body }),
    })
  const opened = await send('reader', {}, 'initialize', params)
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' }
  expect((await send('reader', session, 'tools/list', {})).status).toBe(200)
  expect((await send('second', session, 'tools/list', {})).status).toBe(404)
})
