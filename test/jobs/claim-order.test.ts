import fc from 'fast-check'
import { afterAll, expect, test } from 'vitest'
import { claimJob } from '../../src/domains/jobs/sql.js'
import { newId } from '../../src/lib/ids.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { type OwnConnection, workerConnection } from '../../src/platform/postgres/own-connection.js'
import { createDatabase } from '../support/database.js'

const database = await createDatabase()
const connect = () =>
  workerConnection(parseDatabaseUrl(database.url), { name: 'test', timeoutMs: 60_000 })
const first = connect()
const second = connect()
afterAll(async () => {
  await Promise.all([first.close(), second.close()])
  await database.drop()
})

interface Row {
  readonly job_id: string
  readonly owner: string | null
  readonly tool: string
  readonly state: string
  readonly age: number
}

const rows = fc.array(
  fc.record({
    owner: fc.constantFrom('a', 'b', 'c', null),
    tool: fc.constantFrom('wanted', 'wanted too', 'of another lane'),
    state: fc.constantFrom('queued', 'queued', 'queued', 'running', 'succeeded', 'cancelled'),
    age: fc.nat({ max: 5 }),
  }),
  { maxLength: 24 },
)

async function store(jobs: readonly Row[]): Promise<void> {
  await database.query('truncate catalyst.jobs')
  await database.query(
    `insert into catalyst.jobs
       (job_id, tool, principal, owner, arguments, arguments_sha256, on_restart, state, result, error,
        server_id, heartbeat_at, created_at, finished_at)
     select job_id, tool, 'local', owner, '{}', '', 'resume', state,
       case when state = 'succeeded' then '{}'::jsonb end,
       case when state = 'cancelled' then '{}'::jsonb end,
       'srv_other', now(), timestamptz '2026-01-05' - age * interval '1 second',
       case when state in ('succeeded', 'cancelled') then now() end
     from json_to_recordset($1) as t (job_id text, tool text, owner text, state text, age int)`,
    [JSON.stringify(jobs)],
  )
}

/** The order in which jobs are to be taken over, written down as it is said. */
function expectedOrder(jobs: readonly Row[], tools: readonly string[]): string[] {
  const callerOf = ({ owner }: Row) => owner ?? 'local'
  const running = jobs.filter(({ state }) => state === 'running').map(callerOf)
  const waiting = jobs.filter(({ state, tool }) => state === 'queued' && tools.includes(tool))
  const order: string[] = []
  while (waiting.length > 0) {
    const load = (job: Row) => running.filter((caller) => caller === callerOf(job)).length
    waiting.sort((x, y) => load(x) - load(y) || y.age - x.age || (x.job_id < y.job_id ? -1 : 1))
    const [next] = waiting.splice(0, 1)
    if (!next) break
    running.push(callerOf(next))
    order.push(next.job_id)
  }
  return order
}

const claim = async (connection: OwnConnection) => {
  const [job] = await connection.many(claimJob(['wanted', 'wanted too'], 'srv_test'))
  return job
}

test('one by one, jobs are taken over in the order of the model, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(rows, async (drawn) => {
      const jobs = drawn.map((row) => ({ ...row, job_id: newId('job') }))
      await store(jobs)
      const taken: string[] = []
      for (let job = await claim(first); job; job = await claim(first)) taken.push(job.job_id)
      expect(taken).toEqual(expectedOrder(jobs, ['wanted', 'wanted too']))
    }),
    { numRuns: 60 },
  )
})

test('two servers at a time take over each job once', async () => {
  await fc.assert(
    fc.asyncProperty(rows, async (drawn) => {
      const jobs = drawn.map((row) => ({ ...row, job_id: newId('job') }))
      await store(jobs)
      const drain = async (connection: OwnConnection) => {
        const taken: string[] = []
        for (let job = await claim(connection); job; job = await claim(connection)) {
          taken.push(job.job_id)
        }
        return taken
      }
      const taken = await Promise.all([drain(first), drain(second)])
      expect(taken.flat().sort()).toEqual(expectedOrder(jobs, ['wanted', 'wanted too']).sort())
    }),
    { numRuns: 60 },
  )
})
