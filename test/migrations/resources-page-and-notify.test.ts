import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const { client } = await startApp({ env: folder.env })

test('the history is paged, newest first, without a gap or a repetition', async () => {
  const { migrations: all, next_cursor: end } = await client.resource('db/migrations/history')
  expect(end).toBeNull()
  const versions = all.map(({ version }: { version: number }) => version)
  expect(versions).toEqual([...versions].sort((a, b) => b - a))
  const pages: unknown[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page = await client.resource(
      `db/migrations/history?limit=2${cursor && `&cursor=${cursor}`}`,
    )
    expect(page.migrations.length).toBeLessThanOrEqual(2)
    pages.push(...page.migrations)
    cursor = page.next_cursor
  }
  expect(pages).toEqual(all)
  await expect(client.resource('db/migrations/history?limit=501')).rejects.toThrow(/limit/)
  await expect(client.resource('db/migrations/history?cursor=x')).rejects.toThrow(/cursor/)
})

test('who listens to the status is told when a migration was applied', async () => {
  const updated: string[] = []
  client.sdk.setNotificationHandler('notifications/resources/updated', ({ params }) => {
    updated.push(params.uri)
  })
  const uris = ['catalyst://db/migrations/status', 'catalyst://db/migrations/history']
  await client.sdk.listen({ resourceSubscriptions: uris })
  folder.write('1000_add_tags', 'create table public.tags ();', 'drop table public.tags;')
  await client.tool('run_migrations')
  await waitFor(() => uris.every((uri) => updated.includes(uri)))
  expect((await client.resource('db/migrations/status')).current_version).toBe(1_000)
})

test('files that stand in the way are named with the next step, and nothing runs', async () => {
  folder.write('1000_twice', 'select 1;', 'select 1;')
  folder.write('0003_mine', 'select 1;', 'select 1;')
  folder.write('1002_bad', '-- transaction: sometimes\nselect 1;', 'select 1;')
  const { problems } = await client.resource('db/migrations/status')
  expect(problems.map(({ problem }: { problem: string }) => problem)).toEqual(
    expect.arrayContaining(['unusable_file']),
  )
  const text = JSON.stringify(problems)
  for (const file of ['1000_twice', '0003_mine', '1002_bad']) expect(text).toContain(file)
  for (const { message, next_step } of problems) {
    expect(message).toMatch(/\.$/)
    expect(next_step).toMatch(/\.$/)
  }
  expect(await client.refused('run_migrations')).toMatchObject({ code: 'precondition_failed' })
})
