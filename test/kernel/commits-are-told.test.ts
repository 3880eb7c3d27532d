import { afterAll, expect, test } from 'vitest'
import { Commits } from '../../src/kernel/commits.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import type { Commit } from '../../src/platform/postgres/lease.js'
import { sql } from '../../src/platform/postgres/sql.js'
import { createDatabase } from '../support/database.js'

const served = await createDatabase()
const commits = new Commits()
const told: Commit[] = []
const failed: unknown[] = []
commits.onCommit((commit) => told.push(commit))
commits.onFailure((error) => failed.push(error))
const endpoint = parseDatabaseUrl(served.url)
const database = new Database({ endpoint, poolMax: 1, heard: commits })
afterAll(async () => {
  await database.close()
  await served.drop()
})

test('a commit is told with what it did beside its rows; a read and what is undone are not', async () => {
  await database.run(sql`create temporary table t (a int)`)
  await database.many(sql`select 1`)
  await database
    .transaction(async (tx) => {
      await tx.run(sql`insert into t values (1)`)
      throw new Error('on second thoughts')
    })
    .catch(() => {})
  await database.transaction(async (tx) => {
    tx.touch('news', ['AAPL'])
    await tx.emit('db.transaction', { tools: [], session_id: null, touched: tx.touched })
  })
  expect(told).toEqual([
    { hasEvents: false, touched: undefined },
    { hasEvents: true, touched: { news: ['AAPL'] } },
  ])
})

test('why a statement failed is told', async () => {
  failed.length = 0
  await expect(database.run(sql`select 1 / 0`)).rejects.toThrow()
  expect(failed).toEqual([expect.objectContaining({ code: '22012' })])
})
