import { expect, test } from 'vitest'
import { createBackup, logSettings, newFolder } from '../backups/log-support.js'
import { startApp } from '../support/app.js'

const QUERY = 'select * from visits where customer = 17'

test('an index is made in a restored database, timed there, dropped, and proposed with what was measured', async () => {
  const { client, database } = await startApp({ env: logSettings(newFolder()) })
  await database.query(`
    create table public.visits (id bigint primary key, customer int not null, note text not null);
    insert into public.visits
      select n, n * 7919 % 20000, repeat('x', 100) from generate_series(1, 200000) as n`)
  await database.query('analyze public.visits')
  const { backup_id } = await createBackup(client, 'full')
  const { restore_id, database: side } = await client.tool('restore_backup', { backup_id })
  const indexesIn = async (name: string) => {
    const answer = await client.tool('query_database', {
      sql: `select indexname from pg_indexes where tablename = 'visits' order by 1`,
      ...(name === side ? { restore_id } : {}),
    })
    return answer.rows.flat()
  }

  const answer = await client.tool('analyze_query', { query: QUERY, try_on: restore_id })
  expect(answer.indexes).toMatchObject([
    {
      method: 'trial',
      create_sql: expect.stringContaining('visits_customer_idx on public.visits'),
      size_bytes: expect.toSatisfy((bytes: number) => bytes > 100_000),
    },
  ])
  const [{ ms_before, ms_after }] = answer.indexes
  expect(ms_after).toBeLessThan(ms_before)
  expect(answer.estimated_improvement).toBe(
    `${ms_before} -> ${ms_after} ms measured on restore ${restore_id}`,
  )
  for (const name of [side, database.name]) expect(await indexesIn(name)).toEqual(['visits_pkey'])

  // What any value may stand for has no time of its own.
  const open = await client.tool('analyze_query', {
    query: 'select * from visits where customer = $1',
    try_on: restore_id,
  })
  expect(open.indexes).toMatchObject([{ ms_before: null, ms_after: null }])
  expect(open.suggestions.join('\n')).toContain('Give the values of its parameters')
})

test('a restore that is not there is refused by its name', async () => {
  const { client } = await startApp()
  const trial = { query: 'select 1', try_on: 'rst_nothing' }
  expect(await client.refused('analyze_query', trial)).toMatchObject({ code: 'not_found' })
})
