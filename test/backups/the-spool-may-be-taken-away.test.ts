import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import { SpoolFailed } from '../../src/domains/backups/capture/recorder.js'
import { TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'
import { FaultyStore, keepLog } from './kept-log.js'
import {
  archiveIn,
  createBackup,
  insertedInto,
  logSettings,
  newFolder,
  sidecarsOf,
} from './log-support.js'

test('while the folder of the log on its way is gone or cannot be written, the server lives and says so; then the log goes on, and nothing is missing', async () => {
  const folder = newFolder()
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  await database.query('create table lot (lot_id int primary key, said text)')
  const served = await ServedProcess.start({
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    ...logSettings(folder, { full_every_hours: 8_760 }),
  })
  onTestFinished(() => served.kill())
  const client = await TestClient.connect(served.url, 'modern')
  onTestFinished(() => client.close())
  const { pid } = served
  await createBackup(client, 'full')
  const archive = await archiveIn(folder)
  const spool = join(folder, 'data', 'spool')
  const log = async () => (await client.resource('catalyst://db/backups/latest')).log
  let rows = 0
  /** A row each, until something is so. */
  const insertUntil = (isSo: () => boolean | Promise<boolean>) =>
    waitFor(async () => {
      await database.query(`insert into lot values ($1, repeat('x', 5000))`, [++rows])
      return isSo()
    })
  const isStored = async () => {
    const known = rows
    return waitFor(async () => (await insertedInto(archive, 'lot')).length >= known)
  }
  /** The log is written on in this folder, and a file of it is there. */
  const isOnItsWay = () =>
    existsSync(spool) &&
    readdirSync(spool, { recursive: true }).some((name) => /pgo$/.test(String(name)))

  const isCovered = async () => {
    const [{ now } = { now: '' }] = await database.query<{ now: string }>('select now() as now')
    const latest = () => client.resource('catalyst://db/backups/latest')
    await waitFor(async () => (await latest()).covered_until > now)
  }
  // It is noticed by what comes next, which may be the server's own marks.
  for (const isBusy of [true, false, true, false, false]) {
    await insertUntil(isOnItsWay)
    rmSync(spool, { recursive: true })
    if (isBusy) await insertUntil(isOnItsWay)
    await isCovered()
    await isStored()
  }
  await insertUntil(isOnItsWay)
  rmSync(spool, { recursive: true })
  writeFileSync(spool, 'not a folder')
  await insertUntil(async () => (await log()).state === 'paused')
  expect((await log()).reason).toMatch(/folder spool .* cannot be used \(E/)
  await insertUntil(async () => (await log()).state === 'paused')
  rmSync(spool)
  await insertUntil(isOnItsWay)
  await isStored()
  await waitFor(async () => (await log()).state === 'archiving')

  expect((await insertedInto(archive, 'lot')).map(({ lot_id }) => Number(lot_id))).toEqual(
    Array.from({ length: rows }, (_, at) => at + 1),
  )
  expect(await archive.barriers()).toEqual([])
  expect(served.pid).toBe(pid)
  expect(() => process.kill(pid, 0)).not.toThrow()
  const latest = await client.resource('catalyst://db/backups/latest')
  const { valid, issues } = await client.tool('verify_backup', {
    backup_id: latest.latest_full.backup_id,
    level: 'restore',
  })
  expect({ valid, issues }).toEqual({ valid: true, issues: [] })
})

test('that a file cannot be made is noticed while the store is away', async () => {
  const database = await createDatabase()
  onTestFinished(() => database.drop())
  await database.query('create table lot (lot_id int primary key)')
  const folder = newFolder()
  const { faults, objects } = await FaultyStore.of(folder)
  const { failures, die } = keepLog(database, { folder, objects })
  const marks = async () => {
    const [found] = await database.query<{ mark_id: string }>(
      'select mark_id from catalyst.log_mark',
    )
    return found?.mark_id
  }
  await waitFor(marks)
  const archive = await archiveIn(folder)
  await waitFor(async () => (await sidecarsOf(archive)).length > 0)
  faults.isAway = true
  const before = await marks()
  await database.query('insert into lot values (1)')
  const [state] = await waitFor(async () => {
    const found = await database.query<{ state: string }>('select state from catalyst.backup_log')
    return found[0]?.state === 'paused' && found
  })
  expect(state?.state).toBe('paused')
  expect(await marks()).not.toBe(before)
  // What waits for the store is still there, and what comes next has no place.
  const spool = join(folder, 'spool', archive.id)
  const last = Math.max(...readdirSync(spool).map((name) => Number.parseInt(name, 10)))
  for (let next = last + 1; next < last + 20; next++) {
    writeFileSync(join(spool, `${String(next).padStart(8, '0')}.pgo`), '')
  }
  // The figures of the catalog change, so that the next segment is a mark and nothing else.
  await database.query('create temp table passing (a int)')
  await waitFor(() => failures.length > 0)
  expect(failures[0]).toBeInstanceOf(SpoolFailed)
  faults.isAway = false
  await database.query('insert into lot values (2)')
  const rows = await waitFor(async () => {
    const found = await insertedInto(archive, 'lot')
    return found.length >= 2 && found
  })
  expect(rows.map(({ lot_id }) => Number(lot_id))).toEqual([1, 2])
  expect(await archive.barriers()).toEqual([])
  await die()
})
