import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  homeOf,
  newDataDir,
  postmasterOf,
  query,
  ServerProcess,
  until,
  usedDataDir,
} from '../support/embedded.js'

test('after kill -9 of the server the next one adopts, keeps every committed row, and is the last', async () => {
  const dataDir = await usedDataDir()
  const killed = new ServerProcess(dataDir, { redis: true })
  const { postgres } = await killed.joined()
  await query(postgres?.connectionString ?? '', 'create table trades as select 7 as quantity')
  await killed.kill()
  expect(postmasterOf(dataDir)?.isReady).toBe(true)

  const next = new ServerProcess(dataDir, { redis: true })
  const adopted = await next.joined()
  expect(adopted).toMatchObject({ postgres: { adopted: true }, redis: { adopted: true } })
  expect(await query(adopted.postgres?.connectionString ?? '', 'select * from trades')).toEqual([
    { quantity: 7 },
  ])
  await next.release()
  expect(postmasterOf(dataDir)).toBeNull()
})

const runDir = (dataDir: string) => (existsSync(dataDir) ? readdirSync(homeOf(dataDir).run) : [])
const isMember = (dataDir: string) => runDir(dataDir).some((name) => name.startsWith('member.'))

/** In a directory that is new, because that is when it comes. */
const CREATING: Record<string, (dataDir: string) => unknown> = {
  'holds the lock': (dataDir) => runDir(dataDir).some((name) => name.startsWith('lock.')),
  'creates the cluster': (dataDir) =>
    existsSync(dataDir) && readdirSync(dataDir).some((name) => name.startsWith('postgres.init')),
}
const STARTING: typeof CREATING = {
  'starts PostgreSQL': (dataDir) =>
    existsSync(join(homeOf(dataDir).cluster, 'postmaster.pid')) && !postmasterOf(dataDir)?.isReady,
  'has started PostgreSQL': (dataDir) => postmasterOf(dataDir)?.isReady,
}

test.each([
  ...Object.entries(CREATING).map(([name, isNow]) => [name, isNow, newDataDir] as const),
  ...Object.entries(STARTING).map(([name, isNow]) => [name, isNow, usedDataDir] as const),
])('a server killed when it %s does not block the next one', async (_, isNow, directory) => {
  const dataDir = await directory()
  const killed = new ServerProcess(dataDir, { redis: true })
  await until(() => isNow(dataDir))
  await killed.kill()
  const next = new ServerProcess(dataDir, { redis: true })
  const { postgres, redis } = await next.joined()
  expect(await query(postgres?.connectionString ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
  expect(redis).not.toBeNull()
  await next.release()
  expect(postmasterOf(dataDir)).toBeNull()
})

test('a server killed while it stops the services leaves them to the next one', async () => {
  const dataDir = await usedDataDir()
  const killed = new ServerProcess(dataDir)
  await killed.joined()
  killed.child.stdin?.end()
  await until(() => !isMember(dataDir))
  await killed.kill()
  const next = new ServerProcess(dataDir)
  const { postgres } = await next.joined()
  expect(await query(postgres?.connectionString ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
  await next.release()
  expect(postmasterOf(dataDir)).toBeNull()
})
