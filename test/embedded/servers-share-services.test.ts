import { expect, test } from 'vitest'
import { newDataDir, postmasterOf, query, ServerProcess, usedDataDir } from '../support/embedded.js'
import { asBootstrap } from '../support/services.js'

test('a second server adopts, and only the last to leave stops the services', async () => {
  const dataDir = await usedDataDir()
  const first = new ServerProcess(dataDir, { redis: true })
  expect(await first.joined()).toMatchObject({
    postgres: { adopted: false },
    redis: { adopted: false },
  })
  const second = new ServerProcess(dataDir, { redis: true })
  const { postgres, redis } = await second.joined()
  expect(postgres?.adopted).toBe(true)
  expect(redis?.adopted).toBe(true)

  await first.release()
  expect(await query(postgres?.connectionString ?? '', 'select 1 as one')).toEqual([{ one: 1 }])
  await second.release()
  expect(postmasterOf(dataDir)).toBeNull()
})

test('servers that start at the same moment share one PostgreSQL', async () => {
  const dataDir = newDataDir()
  const servers = [1, 2, 3, 4].map(() => new ServerProcess(dataDir))
  const joined = await Promise.all(servers.map((server) => server.joined()))
  expect(joined.map(({ postgres }) => postgres?.adopted).sort()).toEqual([false, true, true, true])
  await Promise.all(servers.map((server) => server.release()))
  expect(postmasterOf(dataDir)).toBeNull()
})

test('a service stops when nobody left uses it, though a server that uses another one stays', async () => {
  const dataDir = await usedDataDir()
  const both = new ServerProcess(dataDir, { redis: true })
  await both.joined()
  const cacheOnly = new ServerProcess(dataDir, { postgres: false, redis: true })
  expect(await cacheOnly.joined()).toMatchObject({ postgres: null, redis: { adopted: true } })
  await both.release()
  expect(postmasterOf(dataDir)).toBeNull()
  await cacheOnly.release()
})

test('Ctrl-C at the terminal, which signals the whole group, does not reach the services', async () => {
  const dataDir = await usedDataDir()
  const server = new ServerProcess(dataDir)
  const { postgres } = await server.joined()
  const [group] = (await query(
    asBootstrap(postgres?.connectionString ?? ''),
    `select split_part(pg_read_file('/proc/' || split_part(pg_read_file('postmaster.pid'), E'\\n', 1) || '/stat'), ' ', 5) as pgid,
      split_part(pg_read_file('postmaster.pid'), E'\\n', 1) as pid`,
  )) as { pgid: string; pid: string }[]
  expect(group?.pgid).toBe(group?.pid)
  await server.release()
})
