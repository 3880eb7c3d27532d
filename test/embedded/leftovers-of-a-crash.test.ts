import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { joinEmbedded } from '../../src/platform/embedded/services.js'
import {
  collectLog,
  homeOf,
  newDataDir,
  postmasterOf,
  query,
  until,
  usedDataDir,
} from '../support/embedded.js'

const start = (dataDir: string) =>
  joinEmbedded({ dataDir, postgres: true, redis: false, ...collectLog() })

test('a pid file with its "ready" line that names a living stranger does not stop the start', async () => {
  const dataDir = await usedDataDir()
  await (await start(dataDir)).release()
  const { cluster, sockets } = homeOf(dataDir)
  const stranger = spawn('tail', ['-f', join(cluster, 'PG_VERSION')], { cwd: cluster })
  onTestFinished(() => void stranger.kill())
  await once(stranger, 'spawn')
  const stale = [stranger.pid, cluster, 1_700_000_000, 5432, sockets, '', '  1  1', 'ready   ', '']
  writeFileSync(join(cluster, 'postmaster.pid'), stale.join('\n'))
  writeFileSync(join(sockets, '.s.PGSQL.5432.lock'), stale.slice(0, 5).join('\n'))
  expect(postmasterOf(dataDir)).toBeNull()

  const services = await start(dataDir)
  expect(services.postgres?.adopted).toBe(false)
  expect(stranger.exitCode).toBeNull()
  await services.release()
})

test('an empty pid file, as a crash of the machine may leave, does not stop the start', async () => {
  const dataDir = await usedDataDir()
  await (await start(dataDir)).release()
  writeFileSync(join(homeOf(dataDir).cluster, 'postmaster.pid'), '')
  const services = await start(dataDir)
  expect(services.postgres?.adopted).toBe(false)
  await services.release()
})

test('an interrupted initdb is replaced', async () => {
  const dataDir = newDataDir()
  const half = join(homeOf(dataDir).root, 'postgres.init')
  mkdirSync(join(half, 'base'), { recursive: true })
  writeFileSync(join(half, 'PG_VERSION'), '18\n')
  const services = await start(dataDir)
  expect(await query(services.postgres?.connectionString ?? '', 'select 1 as one')).toHaveLength(1)
  expect(readdirSync(dataDir).filter((name) => name.startsWith('postgres.init'))).toEqual([])
  await services.release()
})

test('records of servers that no longer run count neither as members nor as owners of the lock', async () => {
  const dataDir = await usedDataDir()
  const { run } = homeOf(dataDir)
  symlinkSync(`${process.pid}@another-start-time postgres`, join(run, 'member.recycled'))
  symlinkSync(`${process.pid}@another-start-time`, join(run, 'lock.7'))
  const services = await start(dataDir)
  await services.release()
  expect(postmasterOf(dataDir)).toBeNull()
  expect(readdirSync(run)).toEqual(['lock.11'])
})

test('the log is cut when it has grown, at a start', async () => {
  const dataDir = await usedDataDir()
  const { root } = homeOf(dataDir)
  writeFileSync(join(root, 'postgres.log'), 'x'.repeat(11 * 1024 * 1024))
  const services = await start(dataDir)
  expect(readFileSync(join(root, 'postgres.log'), 'utf8')).toMatch(/starting PostgreSQL \d/)
  expect(readFileSync(join(root, 'postgres.log')).length).toBeLessThan(100_000)
  await services.release()
})

test('a backend that outlives its postmaster does not keep the cluster closed', async () => {
  const dataDir = await usedDataDir()
  const services = await start(dataDir)
  const address = services.postgres?.connectionString ?? ''
  const busy = query(address, 'select count(*) from generate_series(1, 1e12)').catch(() => 'cut')
  await until(async () => {
    const active = await query(address, `select 1 from pg_stat_activity where query like '%1e12%'`)
    return active.length === 2
  })
  process.kill(postmasterOf(dataDir)?.process.pid ?? 0, 'SIGKILL')
  await services.release()
  const next = await start(dataDir)
  expect(await busy).toBe('cut')
  await next.release()
})
