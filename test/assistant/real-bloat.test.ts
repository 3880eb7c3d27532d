import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'

const path = join(mkdtempSync(join(tmpdir(), 'catalyst-assistant-')), 'policy.json')
const always = { window: 'always' }
writeFileSync(
  path,
  JSON.stringify({
    monitoring: { sample_seconds: 0.5 },
    assistant: { trial_days: 0, vacuum_table: always },
  }),
)

test('dead rows that autovacuum may not remove are found, removed and counted again', async () => {
  const { client, database } = await startApp({ env: { CATALYST_POLICY_FILE: path } })
  await database.query(
    'create table catalyst.swollen (id int, filler text) with (autovacuum_enabled = false)',
  )
  await database.query(
    "insert into catalyst.swollen select n, repeat('x', 100) from generate_series(1, 40000) n",
  )
  await database.query('delete from catalyst.swollen where id > 10000')
  const found = () =>
    client
      .resource('db/findings')
      .then(({ findings }) =>
        findings.find(
          ({ check, object }: Record<string, unknown>) =>
            check === 'dead_rows' && object === 'catalyst.swollen',
        ),
      )
  await waitFor(found, { timeoutMs: 120_000, what: 'the finding' })
  const { actions, summary } = await client.tool('run_maintenance', { dry_run: false })
  const vacuum = actions.find(({ action }: { action: string }) => action === 'vacuum_table')
  expect(vacuum).toMatchObject({
    object: 'catalyst.swollen',
    decision: 'done',
    before: { dead_rows: 30_000 },
    after: { dead_rows: 0 },
    outcome: 'helped',
  })
  expect(summary).toContain('dead_rows 30000 → 0 · helped')
})
