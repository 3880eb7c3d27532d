import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { Authority, openssl } from '../support/certificates.js'
import { MINUTE } from './lifetime.js'
import { freePort, RedisServer } from './redis-server.js'

const dir = mkdtempSync(join(tmpdir(), 'catalyst-tls-'))
const servers: RedisServer[] = []
afterAll(async () => {
  await Promise.all(servers.map((server) => server.dispose()))
  rmSync(dir, { recursive: true, force: true })
})

async function works(url: string): Promise<void> {
  const store = new RedisCacheStore({ url, namespace: 'tls' })
  await vi.waitFor(() => store.set('key', 'value', { ttlSeconds: 60, tags: ['tag'] }), 60_000)
  expect(await store.get('key')).toBe('value')
  expect(await store.deleteByTag('tag')).toBe(1)
  await store.close()
}

async function isRefused(url: string, reason: RegExp): Promise<void> {
  const store = new RedisCacheStore({ url, namespace: 'tls' })
  expect(await store.health()).toMatchObject({
    state: 'down',
    reason: expect.stringMatching(reason),
  })
  await expect(store.set('key', 'value', MINUTE)).rejects.toMatchObject({ code: 'unavailable' })
  await store.close()
}

describe.runIf(openssl)('Redis with TLS', () => {
  const authority = new Authority()
  const ca = `?ca=${authority.file}`

  /** What a server needs to show a certificate for these names. */
  const certify = (names: string): string[] => {
    const { cert, key } = authority.certify(names)
    return ['--tls-cert-file', cert, '--tls-key-file', key]
  }

  async function startTls(...options: string[]): Promise<{ server: RedisServer; port: number }> {
    return startFor('no', ...options)
  }

  /** `yes` asks clients for a certificate. */
  async function startFor(clients: 'yes' | 'no', ...options: string[]) {
    const server = await RedisServer.create()
    servers.push(server)
    const port = await freePort()
    const trusted = ['--tls-ca-cert-file', authority.file, '--tls-auth-clients', clients]
    await server.start(...options, '--port', '0', '--tls-port', String(port), ...trusted)
    return { server, port }
  }

  test('is used when its authority is named, and refused when it is not', async () => {
    const { port } = await startTls(...certify('DNS:localhost,IP:127.0.0.1'))
    await works(`rediss://127.0.0.1:${port}${ca}`)
    await works(`rediss://localhost:${port}${ca}`)
    await isRefused(`rediss://127.0.0.1:${port}`, /authority/)
  })

  test('is refused when its certificate is for another name', async () => {
    const { port } = await startTls(...certify('DNS:elsewhere.test'))
    await isRefused(`rediss://127.0.0.1:${port}${ca}`, /another host name/)
  })

  test('is used with a certificate of ours where it asks for one, and refused without', async () => {
    const { port } = await startFor('yes', ...certify('IP:127.0.0.1'))
    const { cert, key } = authority.certify('DNS:client.test')
    await works(`rediss://127.0.0.1:${port}${ca}&cert=${cert}&key=${key}`)
    await isRefused(
      `rediss://127.0.0.1:${port}${ca}`,
      /certificate of this client.* cert=<file> and key=<file> in REDIS_URL/,
    )
    const stranger = new Authority().certify('DNS:client.test')
    await isRefused(
      `rediss://127.0.0.1:${port}${ca}&cert=${stranger.cert}&key=${stranger.key}`,
      /certificate of this client/,
    )
  })

  test('can be a cluster', async () => {
    const certificate = certify('IP:127.0.0.1')
    const announced = ['--cluster-announce-ip', '127.0.0.1']
    const options = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes', ...announced]
    const { server, port } = await startTls(...options, ...certificate)
    const slots = Array.from({ length: 16_384 }, (_, slot) => slot)
    await server.send((redis) => redis.cluster('ADDSLOTS', ...slots))
    await vi.waitFor(async () => {
      expect(await server.send((redis) => redis.cluster('INFO'))).toContain('cluster_state:ok')
    }, 60_000)
    await works(`rediss+cluster://127.0.0.1:${port}${ca}`)
  })

  test('can be behind a Sentinel', async () => {
    const certificate = certify('IP:127.0.0.1')
    const { port } = await startTls(...certificate)
    const file = join(dir, 'sentinel.conf')
    writeFileSync(file, `sentinel monitor main 127.0.0.1 ${port} 1\n`)
    const tls = ['--tls-replication', 'yes', ...certificate]
    const sentinel = await startTls(file, '--sentinel', ...tls)
    await works(`rediss+sentinel://127.0.0.1:${sentinel.port}/main${ca}`)
  })
})
