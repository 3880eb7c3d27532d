import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { archiveIn, insertedInto, logSettings, newFolder, sidecarsOf } from './log-support.js'

test('what was committed is in the log in its order, in segments that join', async () => {
  const folder = newFolder()
  const app = await startApp({ env: logSettings(folder) })
  const { database } = app
  const archive = await archiveIn(folder)
  await waitFor(async () => (await database.query('select 1 from catalyst.log_mark')).length > 0)
  await database.query('create table lot (lot_id int primary key, said text)')
  // Nobody told the server of it: it is in the log once the server has found it.
  await waitFor(
    async () =>
      (await database.query(`select from pg_publication_tables where tablename = 'lot'`)).length >
      0,
  )
  for (let id = 0; id < 50; id++) {
    await database.query('insert into lot values ($1, $2)', [id, `said ${id}`])
    if (id !== 25) continue
    const before = (await sidecarsOf(archive)).length
    await waitFor(async () => (await sidecarsOf(archive)).length > before)
  }
  const rows = await waitFor(async () => {
    const found = await insertedInto(archive, 'lot')
    return found.length >= 50 && found
  })
  expect(rows.map(({ lot_id }) => Number(lot_id))).toEqual(
    Array.from({ length: 50 }, (_, at) => at),
  )
  const sidecars = await sidecarsOf(archive)
  sidecars.slice(1).forEach((sidecar, at) => {
    expect(sidecar.start_lsn).toBe(sidecars[at]?.end_lsn)
  })
})
