import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { SpoolFailed } from '../../src/domains/backups/capture/recorder.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { FaultyStore, keepLog } from './kept-log.js'
import { archiveIn, insertedInto, newFolder, sidecarsOf } from './log-support.js'

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
