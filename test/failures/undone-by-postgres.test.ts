import { expect, test } from 'vitest'
import { z } from 'zod'
import { part } from '../../src/kernel/part.js'
import { persistToolFor } from '../../src/mcp/define.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { sql } from '../../src/platform/postgres/sql.js'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'

/** How often a call of the tool below still fails with the SQLSTATE it was given. */
const failures = { left: 0, state: '' }

const tool = persistToolFor<null>()
const facts = {
  title: 'Trial',
  description: 'A tool of this test.',
  effect: 'write',
  idempotent: false,
  openWorld: false,
  input: z.object({}),
  output: z.object({ done: z.boolean() }),
} as const

const trial = part({
  start: () => null,
  name: 'trial',
  tools: {
    failFirst: tool({
      ...facts,
      name: 'trial_fail_first',
      run: async (_, { tx }) => {
        await tx.run(sql`insert into trial_parent default values`)
        if (failures.left-- > 0) {
          const raise = `do $$ begin raise exception 'x' using errcode = '${failures.state}'; end $$`
          await tx.run(sql.trusted(raise))
        }
        return { done: true }
      },
    }),
    orphan: tool({
      ...facts,
      name: 'trial_orphan',
      run: async (_, { tx }) => {
        await tx.run(sql`insert into trial_child (parent) values (-1)`)
        return { done: true }
      },
    }),
  },
})

const { client, database } = await startApp({ parts: [trial] })
await database.query(`
  create table trial_parent (id bigint generated always as identity primary key);
  create table trial_child (parent bigint references trial_parent deferrable initially deferred)`)

const parents = async () =>
  (await database.query<{ n: number }>('select count(*)::int as n from trial_parent'))[0]?.n ?? 0

test.each(['40001', '40P01'])(
  'a unit of our own that met %s is run again, and done once',
  async (state) => {
    const before = await parents()
    Object.assign(failures, { left: 3, state })
    expect(await client.tool('trial_fail_first')).toEqual({ done: true })
    expect(await parents()).toBe(before + 1)
  },
)

test('a unit that is undone every time is given up, as something to send again', async () => {
  const before = await parents()
  Object.assign(failures, { left: 100, state: '40001' })
  expect(await client.refused('trial_fail_first')).toMatchObject({
    code: 'conflict',
    retryable: true,
  })
  expect(failures.left).toBe(96)
  expect(await parents()).toBe(before)
})

test.each(['40001', '40P01'])(
  '%s inside a session is the client’s to repeat: all of it was rolled back',
  async (state) => {
    const before = await parents()
    const { session_id } = await client.tool('start_db_session', {
      isolation_level: 'serializable',
    })
    await client.tool('persist_news_catalyst', {
      ...article({ headline: `Undone ${state}` }),
      session_id,
    })
    Object.assign(failures, { left: 1, state })
    expect(await client.refused('trial_fail_first', { session_id })).toMatchObject({
      code: 'conflict',
      retryable: true,
      message: expect.stringContaining('rolled back'),
    })
    await client.tool('trial_fail_first', { session_id })
    await client.tool('end_db_session', { session_id, outcome: 'commit' })
    expect(await parents()).toBe(before + 1)
    const undone = await database.query(
      `select 1 from catalyst.news_articles where headline = 'Undone ${state}'`,
    )
    expect(undone).toEqual([])
  },
)

test('a constraint that only fails at COMMIT is a clean refusal', async () => {
  expect(await client.refused('trial_orphan')).toMatchObject({ code: 'integrity_violation' })
  expect(await database.query('select 1 from trial_child')).toEqual([])
})

test('a COMMIT that PostgreSQL answers with ROLLBACK is a failure', async () => {
  const pool = new Database({ endpoint: parseDatabaseUrl(database.url), poolMax: 1 })
  const before = await parents()
  const work = pool.transaction(async (tx) => {
    await tx.run(sql`insert into trial_parent default values`)
    await tx.run(sql`select 1 / 0`).catch(() => {})
  })
  await expect(work).rejects.toMatchObject({ code: 'conflict', retryable: true })
  expect(await parents()).toBe(before)
  expect(pool.stats).toMatchObject({ total: 1, active: 0 })
  await pool.close()
})
