import { expect, test } from 'vitest'
import { bound, count, figure, words } from '../../page/format.js'
import { policyOf } from '../assistant/support.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { closePosition, tell } from '../sync/support.js'
import { card, describeInBrowser, visit } from './support.js'

describeInBrowser('each card shows what its resource says', async () => {
  const { client, url } = await startApp({ env: policyOf({}) })
  await closePosition(client, 'win', await tell(client, 'Reuters'))
  await client.tool('run_maintenance', { dry_run: false })
  const sampled = () =>
    waitFor(async () => {
      const findings = await client.resource('db/findings')
      return findings.sampled_at && findings
    })
  await sampled()
  const { page, problems } = await visit(url)

  /** What is read changes while it is looked at: until page and resource agree. */
  const agrees = (check: () => Promise<void>) =>
    waitFor(
      async () => {
        const failure = await check().then(
          () => null,
          (error: Error) => error,
        )
        if (failure) last = failure
        return !failure
      },
      { timeoutMs: 90_000, what: () => last?.message ?? '' },
    )
  let last: Error | undefined

  test('up', () =>
    agrees(async () => {
      const { postgresql, redis, object_store, status } = await client.resource('db/status')
      const shown = await card(page, 'up')
      expect(shown).toMatchObject({ answer: 'Up', state: words(status) })
      expect(shown.facts.PostgreSQL).toContain(`${postgresql.version} answers in`)
      expect(shown.facts).toMatchObject({
        Redis: redis.status,
        'Object store': object_store.status,
      })
    }))

  test('slow', () =>
    agrees(async () => {
      const { summary } = await client.resource('db/metrics?timeframe=1h')
      const { last } = summary.statement_p95_ms
      expect((await card(page, 'slow')).answer).toBe(
        last === null ? 'No figures yet' : `p95 ${figure('slow_queries', last)}`,
      )
    }))

  test('blocking', async () => {
    expect(await client.resource('db/locks')).toMatchObject({ blocked: 0 })
    expect(await card(page, 'blocks')).toMatchObject({
      answer: 'Nobody',
      facts: { 'Waiting sessions': '0', 'Longest wait': 'none' },
    })
  })

  test('what runs out', () =>
    agrees(async () => {
      const { passed } = await client.resource('db/findings')
      const used = passed.find(({ check }: { check: string }) => check === 'connections_used')
      const { answer, facts } = await card(page, 'finite')
      expect(answer).toBe('Nothing in sight')
      expect(facts['Connections used']).toBe(
        `${figure('connections_used', used.value)} (${bound('connections_used', used.threshold)})`,
      )
    }))

  test('restore and loss', async () => {
    const latest = await client.resource('db/backups/latest')
    expect(latest).toMatchObject({ last_drill: null, last_verified: null, latest_full: null })
    expect(await card(page, 'restore')).toMatchObject({ answer: 'Never', state: 'Unknown' })
    const { facts } = await card(page, 'rpo')
    expect(facts.Log).toContain(latest.log.state)
    expect(facts['Object store']).toContain(latest.store.status)
  })

  test('what changed', () =>
    agrees(async () => {
      const { events } = await client.resource('events?limit=1000')
      const told = events.filter(({ type }: { type: string }) => !COMMITS.includes(type))
      expect((await card(page, 'changed')).answer).toBe(
        `${told.length} event${told.length > 1 ? 's' : ''}`,
      )
    }))
  const COMMITS = ['db.transaction', 'cache.invalidation', 'job.finished']

  test('what waits for approval', () =>
    agrees(async () => {
      const { recommendations } = await client.resource('assistant/recommendations?status=open')
      expect(recommendations.length).toBeGreaterThan(0)
      const { answer } = await card(page, 'waits')
      expect(answer).toMatch(new RegExp(`^${recommendations.length} recommendation`))
      const ids = await page
        .locator('[data-recommendation]')
        .evaluateAll((all) =>
          all.map((one) => (one as unknown as Attributes).getAttribute('data-recommendation')),
        )
      expect(ids).toEqual(
        recommendations.map((one: { recommendation_id: string }) => one.recommendation_id),
      )
    }))

  test('every check that is well, with its value and its bound', () =>
    agrees(async () => {
      const { passed, counts } = await client.resource('db/findings')
      const shown = await page
        .locator('[data-check]')
        .evaluateAll((all) =>
          all.map((one) => (one as unknown as Attributes).getAttribute('data-check')),
        )
      expect(shown).toEqual(passed.map(({ check }: { check: string }) => check))
      expect(await page.locator('#checks .sum').innerText()).toContain(
        `Critical ${counts.critical}`,
      )
      for (const { check, value, threshold } of passed.filter(isSteady)) {
        const row = page.locator(`[data-check=${check}]`)
        expect(await row.locator('.value').textContent()).toBe(figure(check, value))
        if (value !== threshold) {
          expect(await row.locator('.bound').textContent()).toBe(bound(check, threshold))
        }
      }
    }))

  test('connections, tables, migrations, sync and clock', () =>
    agrees(async () => {
      const { pool_stats } = await client.resource('db/connections')
      const text = (id: string) => page.locator(`#${id}`).innerText()
      expect(await text('connections')).toContain(`of ${pool_stats.max}`)
      const { tables } = await client.resource('db/performance/tables?limit=15')
      const names = await page.locator('#tables tbody th').allInnerTexts()
      expect(names.sort()).toEqual(tables.map(({ name }: { name: string }) => name).sort())
      const { current_version } = await client.resource('db/migrations/status')
      expect(await text('migrations')).toContain(count(current_version))
      const { catalyst_outcomes } = await client.resource('db/sync/status')
      expect(await text('sync')).toMatch(
        new RegExp(`Trade outcomes waiting\\s+${catalyst_outcomes.pending_updates}\\b`),
      )
      const { market_state } = await client.resource('market/clock')
      expect(await text('market')).toContain(words(market_state))
    }))

  test('figures over time are said in words beside their lines', () =>
    agrees(async () => {
      const { summary } = await client.resource('db/metrics?timeframe=1h')
      const shown = await page.locator('[data-series=connections]').innerText()
      expect(shown).toBe(count(summary.connections.last))
      expect(await page.locator('#throughput canvas').count()).toBe(6)
      const label = await page.locator('#throughput [role=img]').first().getAttribute('aria-label')
      expect(label).toMatch(/^Transactions per second\. Ended: now /)
    }))

  test('nothing went wrong in the page', () => expect(problems).toEqual([]))
})

interface Attributes {
  getAttribute(name: string): string | null
}

/** Figures that are not another one at every look. */
const isSteady = ({ value }: { value: unknown }): boolean =>
  value === 0 || typeof value === 'string'
