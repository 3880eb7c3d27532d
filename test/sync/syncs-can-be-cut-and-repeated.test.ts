import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { Random } from '../support/random.js'
import { closePosition, learned, tell } from './support.js'

const { client, connect, database } = await startApp()
const POSITIONS = 60
const SOURCES = ['Reuters', 'Zacks', 'Benzinga', 'a blog of somebody']

/** Stories of several sources, cited once, several times or never; results by chance of the seed. */
async function fillDatabase(seed: number): Promise<void> {
  const random = new Random(seed)
  const stories: string[] = []
  for (let n = 0; n < 20; n++) stories.push(await tell(client, random.pick(SOURCES)))
  for (let n = 0; n < POSITIONS; n++) {
    const cited = random.chance(0.1) ? null : random.pick(stories)
    await closePosition(client, random.pick(['win', 'win', 'loss', 'scratch']), cited, n)
  }
}

await fillDatabase(7)
await client.tool('sync_catalyst_outcomes', { batch_size: 5_000 })
await client.tool('sync_source_metrics')
/** What a run that nothing disturbed comes to. */
const undisturbed = await learned(database)

/** Forgets everything learned, past the product, so that it can be learned another way. */
const forget = () =>
  database.query(`
    delete from catalyst.news_outcome_evidence;
    delete from catalyst.news_outcomes;
    delete from catalyst.source_changes;
    update catalyst.source_metrics set
      w_win = 0, w_loss = 0, n_eff = 0, accuracy_rate = null, reliability = null, ci_low = null,
      ci_high = null, params_version = null;
    update catalyst.positions set learned_at = null, no_evidence_reason = null
    where status = 'closed'`)

test('two runs at once learn everything once', async () => {
  await forget()
  const clients = await Promise.all([connect('legacy'), connect('modern')])
  const runs = await Promise.all(
    clients.map((one) => one.tool('sync_catalyst_outcomes', { batch_size: 7 })),
  )
  expect(runs.reduce((sum, { trades_processed }) => sum + trades_processed, 0)).toBe(POSITIONS)
  await Promise.all(clients.map((one) => one.tool('sync_source_metrics')))
  expect(await learned(database)).toBe(undisturbed)
})

test('learning and computing in turns that interleave come to the same', async () => {
  await forget()
  const other = await connect('modern')
  const learning = client.tool('sync_catalyst_outcomes', { batch_size: 3 })
  for (let n = 0; n < 5; n++) await other.tool('sync_source_metrics')
  await learning
  await other.tool('sync_source_metrics')
  expect(await learned(database)).toBe(undisturbed)
})

test('a count of all the evidence comes to what was added up', async () => {
  await forget()
  await client.tool('sync_catalyst_outcomes', { batch_size: 11 })
  await client.tool('sync_source_metrics', { recalculate_all: true })
  expect(await learned(database)).toBe(undisturbed)
  expect((await client.tool('sync_source_metrics')).sources_updated).toBe(0)
})

test('runs whose backends are killed over and over come to the same in the end', async () => {
  await forget()
  const random = new Random(11)
  const done = async () => {
    const { catalyst_outcomes, source_metrics } = await client.resource('db/sync/status')
    return catalyst_outcomes.pending_updates + source_metrics.pending_calculations === 0
  }
  let kills = 0
  for (let n = 0; n < 200 && !(await done()); n++) {
    const run = client
      .tool(random.chance(0.5) ? 'sync_catalyst_outcomes' : 'sync_source_metrics', {
        batch_size: 2,
      })
      .catch(() => client.tool('sync_source_metrics').catch(() => null))
    while (random.chance(0.8)) {
      const [row] = await database.query(`
        select count(pg_terminate_backend(pid))::int as n
        from pg_stat_activity
        where datname = current_database() and application_name = 'catalyst-db'
          and xact_start is not null`)
      kills += row?.n
    }
    await run
  }
  expect(kills).toBeGreaterThan(0)
  expect(await done()).toBe(true)
  expect(await learned(database)).toBe(undisturbed)
})

test('a policy with another prior is applied to all sources at the next run', async () => {
  const own = await createDatabase()
  const first = await startApp({ database: own })
  await closePosition(first.client, 'win', await tell(first.client, 'Reuters'))
  await first.client.tool('sync_catalyst_outcomes')
  await first.client.tool('sync_source_metrics')
  // It would take jobs of the other one, and run them by its own policy.
  await first.close()
  const directory = await mkdtemp(join(tmpdir(), 'catalyst-policy-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  const file = join(directory, 'policy.toml')
  await writeFile(file, '[learning]\nsource_prior_strength = 2\npattern_link_minutes = 0.5\n')
  const second = await startApp({ database: own, env: { CATALYST_POLICY_FILE: file } })
  expect(await second.client.resource('db/sync/status')).toMatchObject({
    source_metrics: { pending_calculations: 1 },
  })
  const { accuracy_changes } = await second.client.tool('sync_source_metrics')
  expect(accuracy_changes).toEqual({
    Reuters: {
      from: 1,
      to: 1,
      n_eff: 1,
      reliability: { from: expect.closeTo(11 / 21, 6), to: expect.closeTo(2 / 3, 6) },
    },
  })
})
