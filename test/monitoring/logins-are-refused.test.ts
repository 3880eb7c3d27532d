import { expect, inject, test } from 'vitest'
import { serve } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { expectCommandsToSay, expectRefused, expectUnusable, readiness } from '../support/health.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }

test('each way to be refused is named with its fix, wherever one asks', async () => {
  const cluster = await Cluster.start()
  await cluster.query(`create role trader login password 'hunter2'`)
  await cluster.query('create role nologin')
  await cluster.query('create role barred login')
  await cluster.query('create role stranger login')
  await cluster.query('create role crowd login connection limit 0')
  await cluster.query('create database closed allow_connections false')
  await cluster.query('create database private')
  await cluster.query('revoke connect on database private from public')
  await cluster.letIn(
    'local all trader scram-sha-256',
    'local all barred reject',
    'local all all trust',
  )
  const cases: [url: string, cause: RegExp, fix: RegExp][] = [
    [
      cluster.urlFor('trader:wrong'),
      /refused the password/,
      /Correct the password in DATABASE_URL/,
    ],
    [cluster.urlFor('trader'), /asks for a password and none is given/, /Put the password into/],
    [cluster.urlFor('barred'), /pg_hba\.conf/, /Add a line/],
    [cluster.urlFor('nologin'), /may not log in/, /alter role <role> login/],
    [cluster.urlFor('nobody-there'), /role in DATABASE_URL does not exist/, /Create it/],
    [
      cluster.urlFor('stranger', 'nowhere'),
      /database named in DATABASE_URL does not exist/,
      /correct the name/,
    ],
    [cluster.urlFor('stranger', 'closed'), /takes no connections/, /allow_connections true/],
    [cluster.urlFor('stranger', 'private'), /may not connect to this database/, /grant connect/],
    [cluster.urlFor('crowd'), /accepts no more connections/, /max_connections/],
  ]
  // Each waits at its end for a database that will not come.
  const endings: Promise<void>[] = []
  for (const [url, cause, fix] of cases) {
    const served = await serve(url)
    await expectUnusable(served, cause, fix)
    await expectRefused(served, cause)
    endings.push(served.close())
  }
  await Promise.all(endings)
  const env = { DATABASE_URL: cluster.urlFor('trader:wrong'), ...redis }
  await expectCommandsToSay(env, /refused the password/, /Correct the password in DATABASE_URL/)
})

test('a server that is connected notices that nobody is let in any more, and that it is again', async () => {
  const cluster = await Cluster.start()
  await cluster.query(`create role trader superuser login password 'hunter2'`)
  const served = await serve(cluster.urlFor('trader:hunter2'))
  await cluster.letIn('local all trader scram-sha-256')
  expect(await readiness(served)).toMatchObject({ status: 200, ready: true, reason: null })
  await cluster.query(`alter role trader password 'other'`)
  await expectUnusable(served, /PostgreSQL is down: .*refused the password/, /Correct the password/)
  await cluster.query(`alter role trader password 'hunter2'`)
  expect(await readiness(served)).toMatchObject({ status: 200, ready: true })
  await cluster.query('alter role trader nologin')
  await expectUnusable(served, /may not log in/, /alter role <role> login/)
  await cluster.query('alter role trader login nosuperuser connection limit 1')
  await expectUnusable(served, /accepts no more connections/, /max_connections/)
})
