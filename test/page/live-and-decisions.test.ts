import { expect, test } from 'vitest'
import { policyOf } from '../assistant/support.js'
import { startApp, type TestClient } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { closePosition, tell } from '../sync/support.js'
import { card, describeInBrowser, isRead, open, pageOf, visit } from './support.js'

describeInBrowser('the page follows what happens, and decides', async () => {
  // Everything is on trial: what the assistant would do is proposed.
  const { client, url } = await startApp({ env: policyOf({}) })
  const { page, problems } = await visit(url)
  const proposed = async () => {
    await closePosition(client, 'win', await tell(client, 'Reuters'))
    await client.tool('run_maintenance', { dry_run: false })
    const waiting = await openOf(client)
    const one = waiting.find(({ action }) => action === 'sync_outcomes')
    if (!one) throw new Error('nothing was proposed')
    const row = page.locator(`[data-recommendation=${one.recommendation_id}]`)
    await waitFor(() => row.isVisible())
    return { id: one.recommendation_id, row }
  }
  const backlog = async () =>
    (await client.resource('db/sync/status')).catalyst_outcomes.pending_updates

  test('an event is shown without anybody asking for it', async () => {
    const still = await open()
    // Time stands still in the page: nothing is read because its turn has come, only because of news.
    await still.page.clock.install()
    await still.page.goto(pageOf(url))
    await isRead(still.page)
    await still.page.getByText(/^Live, heard/).waitFor()
    await still.page.clock.pauseAt(Date.now() + 60_000)
    const { next_cursor } = await client.resource('events?limit=1')
    const next = still.page.locator(`[data-seq="${next_cursor + 1}"]`)
    expect(await next.count()).toBe(0)
    await tell(client, 'Reuters')
    // As much time as passes between two pieces of news, and far from the next turn.
    await still.page.clock.runFor(1_100)
    await waitFor(async () => {
      await still.page.clock.runFor(1)
      return (await next.count()) === 1
    })
    await still.page.close()
  })

  test('approving shows the plan first; left alone nothing is done, agreed to it is', async () => {
    const { id, row } = await proposed()
    await row.getByRole('button', { name: /^Approve/ }).click()
    const dialog = page.getByRole('dialog')
    await dialog.waitFor()
    expect(await dialog.innerText()).toContain('sync_catalyst_outcomes')
    await dialog.getByRole('button', { name: 'Leave it' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect((await statusOf(client, id)).status).toBe('open')
    expect(await backlog()).toBe(1)

    await row.getByRole('button', { name: /^Approve/ }).click()
    await dialog.getByRole('button', { name: 'Carry it out' }).click()
    await waitFor(async () => (await statusOf(client, id)).status === 'approved')
    await waitFor(async () => (await backlog()) === 0)
    expect(await statusOf(client, id)).toMatchObject({ decided_by: 'local' })
    await waitFor(async () => !(await row.isVisible()))
    expect(await page.locator('.said').innerText()).toContain('approved')
  })

  test('denying lets it rest, and the card of what waits says so', async () => {
    const { id, row } = await proposed()
    await row.getByRole('button', { name: /^Deny/ }).click()
    await waitFor(async () => (await statusOf(client, id)).status === 'denied')
    expect(await backlog()).toBe(1)
    await waitFor(async () => !(await row.isVisible()))
    const { length } = await openOf(client)
    await waitFor(async () => {
      const { answer } = await card(page, 'waits')
      return length === 0 ? answer === 'Nothing' : answer.startsWith(`${length} `)
    })
  })

  test('nothing went wrong in the page', () => expect(problems).toEqual([]))
})

interface Recommendation {
  readonly recommendation_id: string
  readonly action: string
  readonly status: string
}

const openOf = async (client: TestClient): Promise<Recommendation[]> =>
  (await client.resource('assistant/recommendations?status=open')).recommendations

async function statusOf(client: TestClient, id: string): Promise<Recommendation> {
  const { recommendations } = await client.resource('assistant/recommendations')
  return recommendations.find((one: Recommendation) => one.recommendation_id === id)
}
