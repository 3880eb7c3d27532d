import { readFileSync } from 'node:fs'
import { expect, inject, test } from 'vitest'
import { TestClient } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { ServedProcess } from '../support/served.js'
import { waitFor } from '../support/wait-for.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const database = await createDatabase()
/** A round takes half a minute. */
const ROUNDS = process.env.CATALYST_TEST_LONG ? 6 : 1

/** What one thread that reads SQL may take; as much as this more, and one of them was kept. */
const ROOM_MB = 96

const residentMb = (pid: number): number => {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024
}

/** Over MCP 256 kB are taken; what an operator puts into the folder may be longer. */
const TEXTS = [
  `${'/*'.repeat(65_000)}${'*/'.repeat(65_000)} select 1`,
  `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`,
  `select 1${'+1'.repeat(100_000)}`,
  `select 1 where 1 in (${'12345678, '.repeat(24_000)}0)`,
]
const LONG = [
  `select 1 where 1 in (${'12345678, '.repeat(500_000)}0);`,
  `/* ${'x'.repeat(5_000_000)} */ select 1;`,
]

async function readAll(client: TestClient): Promise<void> {
  for (const up_sql of TEXTS) {
    await client.refused('create_migration', { name: 'big', up_sql, down_sql: 'selec 2' })
  }
  for (const text of LONG) {
    folder.write('1000_long', text, 'select 1;')
    await client.tool('run_migrations', { dry_run: true }).catch(() => {})
  }
}

test('what reading big and deep texts took is given back', async () => {
  const served = await ServedProcess.start({
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    LOG_LEVEL: 'silent',
    ...folder.env,
  })
  const client = await TestClient.connect(served.url, 'modern')
  await readAll(client)
  const before = residentMb(served.pid)
  for (let round = 0; round < ROUNDS; round++) await readAll(client)
  await waitFor(() => residentMb(served.pid) <= before + ROOM_MB, {
    what: () => `${residentMb(served.pid)} MB after ${before} MB`,
  })
  expect(await client.resource('db/status')).toHaveProperty('status')
})
