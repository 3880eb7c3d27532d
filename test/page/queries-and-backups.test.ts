import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { monitoringPolicy } from '../monitoring/policy.js'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { card, describeInBrowser, visit } from './support.js'

describeInBrowser('slow queries and backups', async () => {
  const store = mkdtempSync(join(inject('scratch'), 'page-store-'))
  const { client, database, url } = await startApp({
    env: { ...monitoringPolicy(), CATALYST_OBJECT_STORE: `file://${store}` },
  })
  await database.query(
    `create table public.orders as
       select n as id, repeat('x', 100) as note from generate_series(1, 50000) n`,
  )
  await database.query('analyze public.orders')
  // It takes its time, and may be analysed: sleeping may not.
  await database.query(
    `select count(*) from public.orders where id = 4711
       and (select sum(sqrt(n)) from generate_series(1::int, 3000000::int) n) > 0`,
  )
  const slow = await waitFor(async () => {
    const { queries } = await client.resource('db/performance/slow-queries?threshold_ms=100')
    return queries.find(({ query }: { query: string }) => query?.includes('public.orders where'))
  })
  const { page, problems } = await visit(url)

  test('a slow query is analysed where it stands, and answers what the tool answers', async () => {
    const row = page.locator(`[data-query="${slow.queryid}"]`)
    expect(await row.locator('code').first().textContent()).toBe(slow.query)
    await row.getByRole('button', { name: /^Analyse/ }).click()
    await row.locator('.advice').waitFor()
    const answer = await client.tool('analyze_query', { query: slow.query })
    const shown = (await row.locator('.advice').textContent()) ?? ''
    expect(shown).toContain(answer.estimated_improvement)
    for (const suggestion of answer.suggestions) expect(shown).toContain(suggestion)
    for (const { create_sql } of answer.indexes) expect(shown).toContain(create_sql)
  })

  test('one that may not be analysed says why', async () => {
    await database.query('select pg_sleep(0.3)')
    const refused = await waitFor(async () => {
      const { queries } = await client.resource('db/performance/slow-queries?threshold_ms=100')
      return queries.find(({ query }: { query: string }) => query?.startsWith('select pg_sleep'))
    })
    const { message } = await client.refused('analyze_query', { query: refused.query })
    await page.reload()
    const row = page.locator(`[data-query="${refused.queryid}"]`)
    await row.getByRole('button', { name: /^Analyse/ }).click()
    await row.getByText(message).waitFor()
  })

  test('a backup appears by its event, with what it makes restorable and that none was tried', async () => {
    expect(await page.locator('#backups').innerText()).toContain('There is no backup yet')
    await client.tool('create_backup', { type: 'full' })
    const { backup_id } = await waitFor(
      async () => (await client.resource('db/backups/latest')).latest_full,
    )
    await page.getByRole('rowheader', { name: backup_id }).waitFor()
    const latest = await client.resource('db/backups/latest')
    expect(latest.oldest_restorable).not.toBeNull()
    await waitFor(async () => (await page.locator('.timeline .covered').count()) === 1)
    expect(await page.locator('.timeline .full.completed').count()).toBe(1)
    expect(await card(page, 'restore')).toMatchObject({ answer: 'Never' })
    expect((await card(page, 'rpo')).facts.Log).toBe('archiving')
  })

  test('a backup that was restored for proof answers the question', async () => {
    const { backups } = await client.resource('db/backups/history')
    const [{ backup_id }] = backups
    await client.tool('verify_backup', { backup_id, level: 'restore' })
    const last_drill = await waitFor(
      async () => (await client.resource('db/backups/latest')).last_drill,
    )
    await waitFor(async () => (await card(page, 'restore')).state === 'OK')
    expect(last_drill).toMatchObject({ valid: true })
    const { answer, facts } = await card(page, 'restore')
    expect(answer).toMatch(/ago$|^just now$/)
    expect(facts.Took).toMatch(/ (ms|s|min)$/)
  })

  test('nothing went wrong in the page', () => expect(problems).toEqual([]))
})
