import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { RedisCacheStore } from '../../src/platform/cache/redis.js'
import { findOnPath } from '../../src/platform/embedded/binaries.js'
import { MINUTE } from './lifetime.js'
import { freePort, RedisServer } from './redis-server.js'

const openssl = findOnPath(['openssl'])
const dir = mkdtempSync(join(tmpdir(), 'catalyst-tls-'))
const servers: RedisServer[] = []
afterAll(async () => {
  await Promise.all(servers.map((server) => server.dispose()))
  rmSync(dir, { recursive: true, force: true })
})

const run = (command: string) =>
  execFileSync(openssl ?? '', command.split(' '), { cwd: dir, stdio: 'ignore' })

const KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

/** An authority of the test's own. */
const makeAuthority = () => run(`req -x509 ${KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca`)

/** A server's certificate, signed by it, for these names. */
function certify(name: string, names: string): string[] {
  writeFileSync(join(dir, `${name}.ext`), `subjectAltName=${names}`)
  run(`req ${KEY} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`)
  run(
    `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ${name}.ext -out ${name}.pem`,
  )
  return ['--tls-cert-file', join(dir, `${name}.pem`), '--tls-key-file', join(dir, `${name}.key`)]
}

async function startTls(...options: string[]): Promise<{ server: RedisServer; port: number }> {
  const server = await RedisServer.create()
  servers.push(server)
  const port = await freePort()
  const authority = ['--tls-ca-cert-file', join(dir, 'ca.pem'), '--tls-auth-clients', 'no']
  await server.start(...options, '--port', '0', '--tls-port', String(port), ...authority)
  return { server, port }
}

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
  if (openssl) makeAuthority()
  const ca = `?ca=${join(dir, 'ca.pem')}`

  test('is used when its authority is named, and refused when it is not', async () => {
    const { port } = await startTls(...certify('server', 'DNS:localhost,IP:127.0.0.1'))
    await works(`rediss://127.0.0.1:${port}${ca}`)
    await works(`rediss://localhost:${port}${ca}`)
    await isRefused(`rediss://127.0.0.1:${port}`, /authority/)
  })

  test('is refused when its certificate is for another name', async () => {
    const { port } = await startTls(...certify('other', 'DNS:elsewhere.test'))
    await isRefused(`rediss://127.0.0.1:${port}${ca}`, /another host name/)
  })

  test('can be a cluster', async () => {
    const certificate = certify('cluster', 'IP:127.0.0.1')
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
    const certificate = certify('sentinel', 'IP:127.0.0.1')
    const { port } = await startTls(...certificate)
    const file = join(dir, 'sentinel.conf')
    writeFileSync(file, `sentinel monitor main 127.0.0.1 ${port} 1\n`)
    const tls = ['--tls-replication', 'yes', ...certificate]
    const sentinel = await startTls(file, '--sentinel', ...tls)
    await works(`rediss+sentinel://127.0.0.1:${sentinel.port}/main${ca}`)
  })
})
