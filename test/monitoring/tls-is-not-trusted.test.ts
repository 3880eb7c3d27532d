import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Authority, type Certificate, openssl } from '../support/certificates.js'
import { Cluster } from '../support/cluster.js'
import {
  expectCommandsToSay,
  expectRefused,
  expectUnusable,
  readiness,
  runPatiently,
} from '../support/health.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }
const EVERYBODY = 'host all all 127.0.0.1/32 trust'

describe.runIf(openssl)('TLS of PostgreSQL', () => {
  const authority = new Authority()
  const other = new Authority()
  const trusted = authority.certify('DNS:localhost,IP:127.0.0.1')
  const verified = `sslmode=verify-full&sslrootcert=${authority.file}`

  let cluster: Cluster
  let address: string
  const url = (parameters: string) => `postgresql://postgres@${address}/catalyst?${parameters}`

  beforeAll(async () => {
    cluster = await Cluster.start(afterAll)
    address = await cluster.listen()
  })
  beforeEach(() => cluster.letIn(EVERYBODY))

  const cases: [string, Certificate | null, parameters: string, cause: RegExp, fix: RegExp][] = [
    [
      'without TLS',
      null,
      verified,
      /does not speak TLS/,
      /Switch TLS on in PostgreSQL \(ssl = on\)/,
    ],
    [
      'self-signed',
      authority.selfSigned('IP:127.0.0.1'),
      verified,
      /certificate of PostgreSQL is self-signed/,
      /Name the file .* with sslrootcert=<file> in DATABASE_URL/,
    ],
    [
      'for another name',
      authority.certify('DNS:elsewhere.test'),
      verified,
      /certificate of PostgreSQL is for another host name/,
      /give the server a certificate for this name/,
    ],
    [
      'expired',
      authority.certify('IP:127.0.0.1', -1),
      verified,
      /certificate of PostgreSQL has expired/,
      /Renew the certificate/,
    ],
    [
      'of another authority than the one named',
      trusted,
      `sslmode=verify-full&sslrootcert=${other.file}`,
      /certificate of PostgreSQL comes from an unknown authority/,
      /Name the file of its authority with sslrootcert=<file> in DATABASE_URL/,
    ],
    [
      'of an authority that nobody named',
      trusted,
      'sslmode=require',
      /certificate of PostgreSQL comes from an unknown authority/,
      /PGSSLROOTCERT/,
    ],
  ]

  test.each(cases)(
    'a server %s is named with its fix, wherever one asks',
    async (_, certificate, parameters, cause, fix) => {
      await cluster.show(certificate)
      const served = await serve(url(parameters))
      await expectUnusable(served, cause, fix)
      await expectRefused(served, cause)
      const env = { DATABASE_URL: url(parameters), ...redis }
      await expectCommandsToSay(env, cause, fix, [['doctor'], ['status']])
    },
  )

  test('a trusted one is used, by file, by setting and by what Node trusts', async () => {
    await cluster.show(trusted)
    const ways: [parameters: string, env: Record<string, string>][] = [
      [verified, {}],
      ['sslmode=require', { PGSSLROOTCERT: authority.file }],
      ['sslmode=verify-full', { NODE_EXTRA_CA_CERTS: authority.file }],
      ['sslmode=no-verify', {}],
    ]
    for (const [parameters, env] of ways) {
      const all = { DATABASE_URL: url(parameters), ...redis, ...env }
      expect(await runPatiently(['status'], all)).toMatchObject({ code: 0, stderr: '' })
    }
    const system = 'sslmode=verify-full&sslrootcert=system'
    const env = { DATABASE_URL: url(system), ...redis }
    await expectCommandsToSay(env, /unknown authority/, /sslrootcert=<file>/, [['status']])
  })

  test('a certificate that is exchanged for a bad one while running is noticed, and its end', async () => {
    await cluster.show(trusted)
    const served = await serve(url(verified))
    expect(await readiness(served)).toMatchObject({ status: 200, ready: true })
    await cluster.show(authority.certify('IP:127.0.0.1', -1))
    await expectUnusable(served, /PostgreSQL is down: .*has expired/, /Renew the certificate/)
    await cluster.show(authority.certify('IP:127.0.0.1'))
    expect(await readiness(served)).toMatchObject({ status: 200, ready: true, reason: null })
    await cluster.show(null)
    await expectUnusable(served, /does not speak TLS/, /Switch TLS on/)
  })

  test('a server that takes nothing but TLS says so to whoever comes without', async () => {
    await cluster.show(trusted)
    await cluster.letIn('hostssl all all 127.0.0.1/32 trust')
    const served = await serve(url('sslmode=disable'))
    await expectUnusable(served, /pg_hba\.conf/, /write sslmode=verify-full into DATABASE_URL/)
    await expectRefused(served, /pg_hba\.conf/)
    expect(await readiness(await serve(url(verified)))).toMatchObject({ status: 200 })
  })

  test('a certificate of ours is shown where the server asks for one', async () => {
    await cluster.query('create role trader superuser login')
    await cluster.show(trusted)
    await cluster.trustClients(authority.file)
    await cluster.letIn('hostssl all trader 127.0.0.1/32 trust clientcert=verify-ca', EVERYBODY)
    const trader = url(verified).replace('postgres@', 'trader@')
    const without = await serve(trader)
    await expectUnusable(without, /pg_hba\.conf/, /sslcert=<file> and sslkey=<file>/)
    const { cert, key } = authority.certify('DNS:client.test')
    const served = await serve(`${trader}&sslcert=${cert}&sslkey=${key}`)
    expect(await readiness(served)).toMatchObject({ status: 200, ready: true })
  })
})
