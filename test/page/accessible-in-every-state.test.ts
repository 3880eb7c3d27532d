import pg from 'pg'
import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { policyOf } from '../assistant/support.js'
import { serve } from '../failures/serving.js'
import { monitoringPolicy } from '../monitoring/policy.js'
import { startApp } from '../support/app.js'
import { Cluster } from '../support/cluster.js'
import { waitFor } from '../support/wait-for.js'
import { closePosition, tell } from '../sync/support.js'
import { card, describeInBrowser, expectAccessible, visit } from './support.js'

describeInBrowser('the page in every state', async () => {
  const { client, url } = await startApp({ env: policyOf({}) })

  test('empty: what is not there yet is said', async () => {
    const { page } = await visit(url)
    const text = await page.locator('main').innerText()
    expect(text).toContain('There is no backup yet')
    expect(text).toContain('Nobody waits for a lock.')
    expect(await card(page, 'restore')).toMatchObject({ answer: 'Never' })
    await expectAccessible(page)
  })

  test('healthy, with something to decide, light, dark, enlarged and narrow', async () => {
    await closePosition(client, 'win', await tell(client, 'Reuters'))
    await client.tool('run_maintenance', { dry_run: false })
    for (const options of [
      {},
      { colorScheme: 'dark' as const },
      // 1280 × 800 at 200 %.
      { viewport: { width: 640, height: 400 }, deviceScaleFactor: 2 },
      { viewport: { width: 320, height: 640 } },
    ]) {
      const { page } = await visit(url, options)
      await expectAccessible(page)
      await page.close()
    }
  })

  test('all of it by keyboard: the first key skips the head, approving and leaving it alone', async () => {
    const { page } = await visit(url)
    await page.keyboard.press('Tab')
    expect(await focused(page)).toContain('Skip to what matters now')
    await page.keyboard.press('Enter')
    await tabTo(page, /^Approve/)
    await expectVisibleFocus(page)
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await expectAccessible(page)
    expect(await focused(page)).toBe('Leave it')
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    expect(await focused(page)).toMatch(/^Approve/)
    await page.getByText('Nothing was done.').waitFor()
    await tabTo(page, /^1h$/, 'Shift+Tab')
    await page.keyboard.press('ArrowRight')
    await page.locator('input[name=time]:checked + span', { hasText: '6h' }).waitFor()
  })

  test('degraded: who blocks is named, in words and shapes, not by colour alone', async () => {
    const env = monitoringPolicy({ blocked_seconds: [0.3, 600] })
    const app = await startApp({ env })
    await app.database.query('create table public.held (id int)')
    const [holder, waiter] = ['holder', 'waiter'].map(
      (application_name) => new pg.Client({ connectionString: app.database.url, application_name }),
    ) as [pg.Client, pg.Client]
    afterAll(() => Promise.all([holder.end(), waiter.end()].map((end) => end.catch(() => {}))))
    for (const one of [holder, waiter]) {
      one.on('error', () => {})
      await one.connect()
    }
    await holder.query('begin')
    await holder.query('lock table public.held')
    waiter.query('select * from public.held').catch(() => {})
    await waitFor(async () => (await app.client.resource('db/findings')).findings.length > 0)
    const { page } = await visit(app.url)
    await waitFor(async () => (await card(page, 'blocks')).state === 'Warning')
    expect((await card(page, 'blocks')).answer).toMatch(/^holder, pid \d+$/)
    await page.locator('[data-finding=blocking]').waitFor()
    expect(await page.locator('#locks').innerText()).toMatch(/waiter.*has waited/)
    await expectMarksToHaveWords(page)
    await expectAccessible(page)
  })

  test('the database is away: what is old is said to be old, and it comes back by itself', async () => {
    const cluster = await Cluster.start()
    const served = await serve(cluster.url)
    const { page } = await visit(served.url)
    await cluster.stop('fast')
    await page.getByRole('alert').getByText('Database away').waitFor()
    await page.locator('.question.old').first().waitFor()
    expect(await card(page, 'up')).toMatchObject({ answer: 'Down', state: 'Unhealthy' })
    await expectAccessible(page)
    await cluster.start()
    await page.getByText('Database away').waitFor({ state: 'detached' })
    await served.close()
    await page.getByRole('alert').getByText('Server away').waitFor()
    await expectAccessible(page)
  })
})

const focused = async (page: Page): Promise<string> =>
  String(
    await page.evaluate(
      '(document.activeElement.innerText || document.activeElement.parentElement.innerText).trim()',
    ),
  )

/** Goes on by keyboard until what has the focus is called so. */
async function tabTo(page: Page, name: RegExp, key = 'Tab'): Promise<void> {
  for (let presses = 0; presses < 200; presses++) {
    if (name.test(await focused(page))) return
    await page.keyboard.press(key)
  }
  throw new Error(`nothing that the keyboard reaches is called ${name}`)
}

async function expectVisibleFocus(page: Page): Promise<void> {
  const outline = await page.evaluate('getComputedStyle(document.activeElement).outlineStyle')
  expect(outline).toBe('solid')
}

/** Every state has its word, and the shape is not the same for two of them. */
async function expectMarksToHaveWords(page: Page): Promise<void> {
  const marks = (await page.evaluate(
    `[...document.querySelectorAll('.mark')].map((it) => [it.className, it.textContent.trim(), it.querySelector('path').getAttribute('d')])`,
  )) as [string, string, string][]
  expect(marks.length).toBeGreaterThan(20)
  for (const [, said] of marks) expect(said).not.toBe('')
  const shapes = new Map(marks.map(([state, , shape]) => [state, shape]))
  expect(new Set(shapes.values()).size).toBe(shapes.size)
}
