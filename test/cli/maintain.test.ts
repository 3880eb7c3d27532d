import { expect, inject, test } from 'vitest'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'

test('maintain runs once, prints its report, and can be stopped for every server', async () => {
  const database = await createDatabase()
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    LOG_LEVEL: 'silent',
  }
  const first = await runCommand(['maintain', '--once', '--json'], env)
  expect([0, 7]).toContain(first.code)
  const report = JSON.parse(first.stdout)
  expect(report).toMatchObject({ dry_run: false, report_id: expect.stringMatching(/^rep_/) })
  const readable = await runCommand(['maintain', '--once', '--dry-run'], env)
  expect(readable.stdout).toMatch(/^# Database maintenance: \w+\n/)
  expect(readable.stdout).toContain('dry run')

  expect(await runCommand(['maintain', '--stop'], env)).toMatchObject({ code: 0 })
  const [stopped] = await database.query<{ is_stopped: boolean }>(
    'select stopped_at is not null as is_stopped from catalyst.assistant',
  )
  expect(stopped).toEqual({ is_stopped: true })
  expect(await runCommand(['maintain', '--resume'], env)).toMatchObject({ code: 0 })
  const wrong = await runCommand(['maintain', '--enable', 'vacuum_everything'], env)
  expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('vacuum_table') })
})
