import pg from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'
import { Operator, refusal, run } from './operator.js'

const ALTER = '-- lock_timeout: 300ms\nalter table trade add column venue text'

async function held(): Promise<{ operator: Operator; holder: pg.Client; pid: number }> {
  const operator = await Operator.start({ '1000_trade.up': 'create table trade (id int)' })
  await operator.up()
  await operator.write({ '1001_venue.up': ALTER })
  const connectionString = operator.database.url
  const holder = new pg.Client({ connectionString, application_name: 'a "desk"\u0007' })
  await holder.connect()
  onTestFinished(() => holder.end())
  await holder.query('begin; select * from trade')
  const { rows } = await holder.query<{ pid: number }>('select pg_backend_pid() as pid')
  return { operator, holder, pid: rows[0]?.pid ?? 0 }
}

/** How often a runner has been told by PostgreSQL that its lock was not free. */
const observers = async ({ database }: Operator): Promise<number> => {
  const rows = await database.query(
    `select 1 from pg_stat_activity
     where datname = current_database() and query ilike '%pg_blocking_pids%'
       and application_name = 'catalyst-db migrations'`,
  )
  return rows.length
}

test('a hot table is tried again until it is free', async () => {
  const { operator, holder } = await held()
  const running = operator.up()
  // The second attempt is under way.
  await waitFor(() => observers(operator), { what: 'an observer of the runner' })
  await holder.query('commit')
  expect(await running).toEqual([1001])
})

test('a table that stays hot is given up, naming who holds it', async () => {
  const { operator, pid } = await held()
  const error = await refusal(operator.up())
  expect(error).toMatchObject({ code: 'conflict', retryable: true })
  expect(error.message).toContain('(SQLSTATE 55P03)')
  expect(error.message).toContain(`It waited for backend ${pid} ("a ?desk?`)
  expect(error.message).toContain('Nothing of the file was kept.')
  expect(await operator.applied()).toEqual([1000])
})

test('a runner that waits for a lock can be stopped', async () => {
  const { operator } = await held()
  const stop = new AbortController()
  const stopped = refusal(operator.service.up(run({ signal: stop.signal })))
  await waitFor(() => observers(operator), { what: 'an observer of the runner' })
  stop.abort()
  expect((await stopped).code).toMatch(/^(cancelled|conflict)$/)
})

test('a runner that dies in its transaction leaves nothing, and another one goes on', async () => {
  const operator = await Operator.start({
    '1000_trade.up': 'create table trade (id int); select pg_advisory_xact_lock(4711)',
  })
  const connectionString = operator.database.url
  const holder = new pg.Client({ connectionString })
  await holder.connect()
  await holder.query('select pg_advisory_lock(4711)')
  const dying = refusal(operator.up())
  const waiting = await waitFor(
    async () => {
      const [row] = await operator.database.query<{ pid: number }>(
        `select pid from pg_locks where locktype = 'advisory' and objid = 4711 and not granted`,
      )
      return row?.pid
    },
    { what: 'a runner that waits' },
  )
  const next = operator.another().up(run())
  await operator.database.query('select pg_terminate_backend($1)', [waiting])
  expect(await dying).toMatchObject({ code: 'unavailable' })
  await holder.end()
  expect(await next).toMatchObject({ migrations_applied: [{ version: 1000 }] })
  expect(await operator.log()).toEqual(['up 1000'])
})
