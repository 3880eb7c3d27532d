import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { connectAs, post, Tokens } from './support.js'

const AUDIENCE = 'https://db.example/mcp'
const trusted = await generateKeyPair('ES256')
const forger = await generateKeyPair('ES256')
const tokens = new Tokens({ collector: 'db:read' })
const issuer = await startIssuer()

const { url } = await startApp({
  env: {
    CATALYST_OIDC_ISSUER: issuer,
    CATALYST_AUDIENCE: AUDIENCE,
    CATALYST_TOKENS: tokens.path,
  },
  token: tokens.of('collector'),
})

/** An issuer that tells of its keys, as OpenID Connect discovery has it. */
async function startIssuer(): Promise<string> {
  const key = { ...(await exportJWK(trusted.publicKey)), kid: 'one', alg: 'ES256', use: 'sig' }
  const server = createServer((req, res) => {
    const documents: Record<string, object> = {
      '/.well-known/openid-configuration': { issuer: base, jwks_uri: `${base}/keys` },
      '/keys': { keys: [key] },
    }
    res.setHeader('content-type', 'application/json')
    res.end(JSON.stringify(documents[req.url ?? ''] ?? {}))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  afterAll(() => server.close())
  return base
}

const now = () => Math.floor(Date.now() / 1_000)
const sign = (claims: JWTPayload = {}, key = trusted.privateKey) =>
  new SignJWT({
    iss: issuer,
    aud: AUDIENCE,
    sub: 'trader-1',
    exp: now() + 600,
    scope: 'openid db:read db:write',
    ...claims,
  })
    .setProtectedHeader({ alg: 'ES256', kid: 'one' })
    .sign(key)

test('a good token opens the door as its subject, with its scopes and no others', async () => {
  const client = await connectAs(url, await sign())
  expect(await client.tool('persist_news_catalyst', article())).toHaveProperty('news_id')
  const migration = { name: 'x', up_sql: 'select 1', down_sql: 'select 1' }
  const headers = { authorization: `Bearer ${await sign()}` }
  const { status } = await post(url, headers, 'tools/call', {
    name: 'create_migration',
    arguments: migration,
  })
  expect(status).toBe(403)
})

const unsigned = (token: string) => {
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  return `${none}.${token.split('.')[1]}.`
}

test.each<[string, () => Promise<string>]>([
  ['for another audience', () => sign({ aud: 'https://other.example' })],
  ['of another issuer', () => sign({ iss: 'https://evil.example' })],
  ['that has expired', () => sign({ exp: now() - 120 })],
  ['without an end', () => sign({ exp: undefined as never })],
  ['that is not good yet', () => sign({ nbf: now() + 600 })],
  ['signed by another', () => sign({}, forger.privateKey)],
  ['that is not signed', async () => unsigned(await sign())],
  [
    'whose scopes were changed',
    async () => {
      const [head, , tail] = (await sign()).split('.')
      const claims = {
        iss: issuer,
        aud: AUDIENCE,
        sub: 'trader-1',
        exp: now() + 600,
        scope: 'db:admin',
      }
      return `${head}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.${tail}`
    },
  ],
  ['without a subject', () => sign({ sub: undefined as never })],
  ['in the name of a bearer of a token', () => sign({ sub: 'collector' })],
  ['in the name of the server', () => sign({ sub: 'local' })],
  ['of nonsense', async () => 'a.b.c'],
])('a token %s is refused', async (_, make) => {
  const { status, response } = await post(url, { authorization: `Bearer ${await make()}` })
  expect(status).toBe(401)
  expect(response.headers.get('www-authenticate')).toMatch(
    /resource_metadata="http:\/\/127\.0\.0\.1:\d+\/\.well-known\/oauth-protected-resource"/,
  )
})

test('clients find the issuer by the metadata of RFC 9728', async () => {
  const response = await fetch(new URL('/.well-known/oauth-protected-resource', url))
  expect(await response.json()).toMatchObject({
    resource: AUDIENCE,
    authorization_servers: [issuer],
    scopes_supported: expect.arrayContaining(['db:read', 'db:admin']),
  })
})

test('tokens of the file open the same door', async () => {
  const client = await connectAs(url, tokens.of('collector'))
  expect(await client.resource('db/status')).toHaveProperty('status')
})
