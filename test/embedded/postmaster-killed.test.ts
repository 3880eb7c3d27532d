import { existsSync, renameSync } from 'node:fs'
import pg from 'pg'
import { expect, test } from 'vitest'
import { joinEmbedded } from '../../src/platform/embedded/services.js'
import {
  collectLog,
  postmasterOf,
  query,
  ServerProcess,
  until,
  usedDataDir,
} from '../support/embedded.js'

const pidOf = (dataDir: string): number => postmasterOf(dataDir)?.process.pid ?? 0

test('a killed postmaster is back with every committed row, without waiting for a query that runs for hours', async () => {
  const dataDir = await usedDataDir()
  const { log, lines } = collectLog()
  const services = await joinEmbedded({ dataDir, postgres: true, redis: false, log })
  const address = services.postgres?.connectionString ?? ''
  await query(address, 'create table rows as select generate_series(1, 1000) as id')
  const busy = new pg.Client({ connectionString: address })
  busy.on('error', () => {})
  await busy.connect()
  const cut = expect(busy.query('select count(*) from generate_series(1, 1e12)')).rejects.toThrow()

  const killed = pidOf(dataDir)
  process.kill(killed, 'SIGKILL')
  await until(() =>
    query(address, 'select 1').then(
      () => pidOf(dataDir) !== killed,
      () => false,
    ),
  )
  await cut

  expect(await query(address, 'select count(*)::int from rows')).toEqual([{ count: 1000 }])
  await until(() => lines.some(({ message }) => message === 'Embedded postgres is back'))
  expect(services.postgres).toMatchObject({ adopted: false, connectionString: address })
  expect(lines.filter(({ message }) => message.endsWith('starting it again'))).toHaveLength(1)
  await services.release()
})

test('of two servers one brings it back and the other finds it; an orphan is brought back too', async () => {
  const dataDir = await usedDataDir()
  const starter = new ServerProcess(dataDir)
  await starter.joined()
  const { log, lines } = collectLog()
  const services = await joinEmbedded({ dataDir, postgres: true, redis: false, log })
  const address = services.postgres?.connectionString ?? ''
  const isBack = (killed: number) =>
    query(address, 'select 1').then(
      () => pidOf(dataDir) !== killed,
      () => false,
    )

  const first = pidOf(dataDir)
  process.kill(first, 'SIGKILL')
  await until(() => isBack(first))
  await until(() => lines.some(({ message }) => message === 'Embedded postgres is back'))

  await starter.kill()
  const second = pidOf(dataDir)
  process.kill(second, 'SIGKILL')
  await until(() => isBack(second))
  await services.release()
  expect(postmasterOf(dataDir)).toBeNull()
})

test('leaving during a restart leaves nothing behind', async () => {
  const dataDir = await usedDataDir()
  for (let round = 0; round < 4; round++) {
    const { log, lines } = collectLog()
    const services = await joinEmbedded({ dataDir, postgres: true, redis: false, log })
    process.kill(pidOf(dataDir), 'SIGKILL')
    const seen =
      round % 2 === 0 ? () => !pidOf(dataDir) : () => lines.some(({ level }) => level === 'warn')
    await until(seen)
    await services.release()
    expect(postmasterOf(dataDir)).toBeNull()
  }
})

test('a database that disappeared is not replaced by an empty one', async () => {
  const dataDir = await usedDataDir()
  const { log, lines } = collectLog()
  const services = await joinEmbedded({ dataDir, postgres: true, redis: false, log })
  const killed = pidOf(dataDir)
  renameSync(`${dataDir}/postgres`, `${dataDir}/moved`)
  process.kill(killed, 'SIGKILL')
  await until(() => lines.some(({ level }) => level === 'error'))
  expect(existsSync(`${dataDir}/postgres`)).toBe(false)
  renameSync(`${dataDir}/moved`, `${dataDir}/postgres`)
  await until(() => pidOf(dataDir) && pidOf(dataDir) !== killed)
  await services.release()
})
