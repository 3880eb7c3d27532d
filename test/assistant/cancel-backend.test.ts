import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'

const { client, database } = await startApp()

const open: pg.Client[] = []
afterAll(() => Promise.all(open.map((one) => one.end().catch(() => {}))))

/** A connection of somebody else, and how it is listed. */
async function stranger() {
  const other = new pg.Client({ connectionString: database.url, application_name: 'stranger' })
  other.on('error', () => {})
  await other.connect()
  open.push(other)
  const { rows } = await other.query('select pg_backend_pid() as pid')
  const { pid } = rows[0]
  const { connection_details: all } = await client.resource('db/performance/connections?limit=500')
  const { connected_at } = all.find((one: { pid: number }) => one.pid === pid)
  return { other, id: { pid, connected_at } }
}

/** Asks, and agrees to what is shown. */
async function agreedTo(args: Record<string, unknown>) {
  const { code, confirm_token, plan } = await client.refused('cancel_backend', args)
  expect(code).toBe('confirmation_required')
  return { plan, answer: () => client.tool('cancel_backend', { ...args, confirm_token }) }
}

test('a statement is cancelled once it was confirmed, and the connection stays', async () => {
  const { other, id } = await stranger()
  const sleeping = other.query('select pg_sleep(60)').catch((error: Error) => error)
  await waitFor(async () => {
    const { plan } = await agreedTo(id)
    return (plan as { state?: string }).state === 'active'
  })
  const { answer, plan } = await agreedTo(id)
  expect(plan).toMatchObject({ ...id, application_name: 'stranger', terminate: false, waiting: 0 })
  expect(await answer()).toEqual({ pid: id.pid, cancelled: true, terminated: false })
  expect(await sleeping).toMatchObject({ code: '57014' })
  expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})

test('an idle transaction is ended with its connection', async () => {
  const { other, id } = await stranger()
  await other.query('begin')
  const { answer } = await agreedTo({ ...id, terminate: true })
  expect(await answer()).toMatchObject({ terminated: true })
  await waitFor(() =>
    other.query('select 1').then(
      () => false,
      () => true,
    ),
  )
})

test('another backend with the same number is not touched', async () => {
  const { other, id } = await stranger()
  const later = { ...id, connected_at: '2020-01-01T00:00:00Z' }
  expect(await client.refused('cancel_backend', later)).toMatchObject({ code: 'not_found' })
  expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
