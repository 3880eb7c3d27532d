import { randomBytes } from 'node:crypto'
import { afterAll, expect, test } from 'vitest'
import { JobQueue, type SqlExecutor } from '../../src/platform/jobs/job-queue.js'
import { createLog } from '../../src/platform/log.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { WorkerConnection } from '../../src/platform/postgres/worker-connection.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'

const database = await createDatabase()
afterAll(() => database.drop())

const endpoint = parseDatabaseUrl(database.url)
const connect = () => new WorkerConnection({ endpoint, name: 'test', timeoutMs: 10_000 })

/** A queue on a connection; what it hands over is noted in `delivered`. */
function queueOn(connection: SqlExecutor, free: number, delivered: string[] = []): JobQueue {
  return new JobQueue({
    connection,
    log: createLog('silent'),
    free: () => free,
    serves: () => true,
    deliver: async (jobId) => void delivered.push(jobId),
  })
}

/** Finds no tables at its first look, as a server does that starts at the same time as another. */
function blindAtFirst(connection: WorkerConnection): SqlExecutor {
  let looks = 0
  return {
    executeSql: async (text, values) => {
      const answer = await connection.executeSql(text, values)
      return text.includes('to_regclass') && looks++ === 0 ? { rows: [{ name: null }] } : answer
    },
  }
}

test('a server that lost the race to make the tables loses none of the jobs it is handed first', async () => {
  const [first, second] = [connect(), connect()]
  const announcing = queueOn(first, 0)
  announcing.start()
  await announcing.ready(new AbortController().signal)
  const job_id = `job_${randomBytes(16).toString('hex')}`
  const transaction: SqlExecutor = { executeSql: (text, values) => first.executeSql(text, values) }
  await announcing.announce({ job_id, tool: 'any' }, transaction)
  await announcing.stop()
  const delivered: string[] = []
  const taking = queueOn(blindAtFirst(second), 8, delivered)
  taking.start()
  await waitFor(() => delivered.length > 0, { what: 'the job being handed over' })
  await taking.stop()
  expect(delivered).toEqual([job_id])
  await Promise.all([first.close(), second.close()])
})
