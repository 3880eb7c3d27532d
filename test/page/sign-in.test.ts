import { request as httpRequest } from 'node:http'
import { expect, test } from 'vitest'
import { Tokens } from '../access/support.js'
import { startApp } from '../support/app.js'
import { describeInBrowser, isRead, open, pageOf } from './support.js'

const tokens = new Tokens({
  reader: 'db:read',
  chief: 'db:read db:write db:admin',
  leaver: 'db:read',
})
const { url } = await startApp({
  env: { CATALYST_TOKENS: tokens.path },
  token: tokens.of('reader'),
})
const origin = new URL(url).origin

interface Sent {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: unknown
}

/** As any program can send it: with whatever headers, also those that browsers set. */
function send(path: string, { method = 'GET', headers = {}, body }: Sent = {}) {
  const text = body === undefined ? '' : JSON.stringify(body)
  return new Promise<{ status: number; cookie: string; text: string }>((resolve, reject) => {
    const sent = httpRequest(new URL(path, origin), { method, headers }, (response) => {
      let answer = ''
      response.on('data', (chunk) => {
        answer += chunk
      })
      response.on('end', () => {
        const cookie = response.headers['set-cookie']?.[0] ?? ''
        resolve({ status: response.statusCode ?? 0, cookie, text: answer })
      })
    })
    sent.once('error', reject)
    sent.end(text)
  })
}

const json = { 'content-type': 'application/json' }
const signIn = (token: string, headers: Record<string, string> = { origin }) =>
  send('/session', { method: 'POST', headers: { ...json, ...headers }, body: { token } })
const cookieOf = ({ cookie }: { cookie: string }): string => cookie.split(';')[0] ?? ''

const MODERN = {
  ...json,
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2026-07-28',
  'mcp-method': 'resources/read',
  'mcp-name': 'catalyst://db/status',
}
const readStatus = (headers: Record<string, string>) =>
  send('/mcp', {
    method: 'POST',
    headers: { ...MODERN, ...headers },
    body: {
      jsonrpc: '2.0',
      id: 1,
      method: 'resources/read',
      params: {
        uri: 'catalyst://db/status',
        _meta: {
          'io.modelcontextprotocol/protocolVersion': '2026-07-28',
          'io.modelcontextprotocol/clientInfo': { name: 'test', version: '0' },
          'io.modelcontextprotocol/clientCapabilities': {},
        },
      },
    },
  })

test('the page is served to anybody, what it shows to nobody without a token', async () => {
  expect((await send('/')).status).toBe(200)
  expect((await readStatus({ origin })).status).toBe(401)
  const { text } = await send('/session')
  expect(JSON.parse(text)).toEqual({ sign_in: true, name: null, scopes: null })
})

test('a token is exchanged for a cookie that does not hold it and no script can read', async () => {
  const answer = await signIn(tokens.of('reader'))
  expect(answer.status).toBe(204)
  expect(answer.cookie).toMatch(
    /^catalyst_session=[\w-]{43}; HttpOnly; SameSite=Strict; Path=\/; Max-Age=\d+$/,
  )
  expect(answer.cookie).not.toContain(tokens.of('reader'))
  const overTls = await signIn(tokens.of('reader'), { origin, 'x-forwarded-proto': 'https' })
  expect(overTls.cookie).toMatch(/; Secure$/)
  expect((await readStatus({ origin, cookie: cookieOf(answer) })).status).toBe(200)
})

test('the cookie counts only for what the page itself sends', async () => {
  const cookie = cookieOf(await signIn(tokens.of('chief')))
  const refused = [
    {},
    { origin: 'https://elsewhere.example' },
    { origin: 'http://localhost:1' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ]
  for (const headers of refused) {
    expect((await readStatus({ cookie, ...headers })).status).toBeGreaterThanOrEqual(401)
  }
  expect((await readStatus({ cookie, 'sec-fetch-site': 'same-origin' })).status).toBe(200)
  // Others neither sign anybody in nor out.
  const elsewhere = { origin: 'http://localhost:1', cookie }
  expect((await signIn(tokens.of('reader'), elsewhere)).status).toBe(403)
  expect((await send('/session', { method: 'DELETE', headers: elsewhere })).status).toBe(403)
  expect((await send('/metrics', { headers: { cookie, origin } })).status).toBe(401)
  expect((await readStatus({ cookie, origin })).status).toBe(200)
})

test('who signs out, or whose token is revoked, is out', async () => {
  const cookie = cookieOf(await signIn(tokens.of('chief')))
  const out = await send('/session', { method: 'DELETE', headers: { cookie, origin } })
  expect(out).toMatchObject({ status: 204, cookie: expect.stringContaining('Max-Age=0') })
  expect((await readStatus({ cookie, origin })).status).toBe(401)

  const leaver = cookieOf(await signIn(tokens.of('leaver')))
  expect((await readStatus({ cookie: leaver, origin })).status).toBe(200)
  tokens.revoke('leaver')
  expect((await readStatus({ cookie: leaver, origin })).status).toBe(401)
})

test('a name that is not this host is refused on loopback, the page as well', async () => {
  for (const path of ['/', '/page/main.js', '/session']) {
    expect((await send(path, { headers: { host: 'rebound.example' } })).status).toBe(403)
  }
})

describeInBrowser('in a browser', async () => {
  test('one signs in, sees who one is, may not decide without db:admin, and signs out', async () => {
    const { page, problems } = await open()
    await page.goto(pageOf(url))
    await page.getByLabel('Token').fill('cdb_wrong')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByText('The token is not known').waitFor()
    await page.getByLabel('Token').fill(tokens.of('reader'))
    await page.keyboard.press('Enter')
    await isRead(page)
    await page.getByText('reader', { exact: true }).waitFor()
    expect(await page.evaluate('document.cookie + JSON.stringify(localStorage)')).toBe('{}')
    await page.reload()
    await isRead(page)
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByLabel('Token').waitFor()
    await page.reload()
    await page.getByLabel('Token').waitFor()
    expect(problems).toEqual([])
  })
})

// The last one: its address is shut out for a minute.
test('wrong tokens are slowed as for everyone', async () => {
  const statuses = []
  for (let n = 0; n < 25; n++) statuses.push((await signIn(`cdb_${n}`)).status)
  expect(statuses.slice(0, 10)).toEqual(Array.from({ length: 10 }, () => 401))
  expect(statuses.at(-1)).toBe(429)
  expect((await signIn(tokens.of('chief'))).status).toBe(429)
})
