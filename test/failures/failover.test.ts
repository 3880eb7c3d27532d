import { beforeEach, describe, expect, test } from 'vitest'
import type { TestClient } from '../support/app.js'
import { Cluster } from '../support/cluster.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { type Pair, startPair } from './pair.js'
import { repeat, serve } from './serving.js'

const WRITERS = 8

const keysIn = async (cluster: Cluster): Promise<string[]> =>
  (await cluster.query<{ key: string }>('select key from catalyst.idempotency_keys')).map(
    ({ key }) => key,
  )

const rowsIn = async (cluster: Cluster): Promise<number | undefined> =>
  (await cluster.query<{ n: number }>('select count(*)::int as n from catalyst.news_articles'))[0]
    ?.n

const persist = (client: TestClient, key: string) =>
  repeat(client, 'persist_news_catalyst', {
    ...article({ symbol: undefined }),
    idempotency_key: key,
  })

let pair: Pair

describe('with synchronous replication', () => {
  beforeEach(async () => {
    pair = await startPair({ synchronous: true })
  })

  test('writes resume after the promotion; nothing acknowledged is lost or doubled; the old primary is refused', async () => {
    const { primary, standby, toStandby, url } = pair
    const served = await serve(url)
    const clients = await Promise.all(
      Array.from({ length: WRITERS }, (_, i) => served.connect(i % 2 ? 'legacy' : 'modern')),
    )
    const acknowledged: string[] = []
    let isStopped = false
    const writing = clients.map(async (client, id) => {
      for (let n = 0; !isStopped; n++) {
        const key = `${id}-${n}`
        await persist(client, key)
        acknowledged.push(key)
      }
    })
    await waitFor(() => acknowledged.length > 3 * WRITERS)
    await primary.stop('immediate')
    const before = acknowledged.length
    await standby.promote()
    await waitFor(() => acknowledged.length > before + 5 * WRITERS)
    isStopped = true
    await Promise.all(writing)
    expect((await keysIn(standby)).sort()).toEqual([...acknowledged].sort())
    expect(await rowsIn(standby)).toBe(acknowledged.length)
    process.stdout.write(`${acknowledged.length} acknowledged, ${before} before the failover\n`)

    primary.configure({ synchronous_standby_names: '' })
    await primary.start()
    const left = await rowsIn(primary)
    toStandby.resetAll()
    await persist(clients[0] as TestClient, 'after-the-return')
    expect(await keysIn(standby)).toContain('after-the-return')
    const fresh = await (await serve(url)).connect()
    await persist(fresh, 'by-a-fresh-server')
    expect(await keysIn(standby)).toContain('by-a-fresh-server')
    toStandby.isClosed = true
    toStandby.resetAll()
    const refusal = await (clients[0] as TestClient).refused('persist_news_catalyst', article())
    expect(refusal).toMatchObject({ code: 'unavailable', retryable: true })
    expect(await rowsIn(primary)).toBe(left)
  })

  test('what the standby has not confirmed is not acknowledged, neither at once nor by repeating it', async () => {
    const { primary, standby, wire, url } = pair
    const served = await serve(url)
    const client = await served.connect()
    const second = await served.connect()
    await persist(client, 'before')
    wire.silence()
    const waiting = async (count: number) =>
      waitFor(
        async () =>
          (
            await primary.query(
              `select 1 from pg_stat_activity
               where wait_event = 'SyncRep' and application_name = 'catalyst-db'`,
            )
          ).length >= count,
        { what: `${count} commits waiting for the standby` },
      )
    const args = { ...article({ symbol: undefined }), idempotency_key: 'unconfirmed' }
    let answered = 0
    const call = repeat(client, 'persist_news_catalyst', args)
    call.then(() => answered++)
    await waiting(1)
    // The commit is on the primary's disk, and ending its backend makes it visible there. The one that
    // waited first may have been another: what the server itself writes waits as well.
    await waitFor(async () => {
      await primary.query(`select pg_terminate_backend(pid) from pg_stat_activity
        where wait_event = 'SyncRep' and application_name = 'catalyst-db'`)
      return (await keysIn(primary)).includes('unconfirmed')
    })
    const repeated = repeat(second, 'persist_news_catalyst', args)
    repeated.then(() => answered++)
    await waiting(2)
    expect(answered).toBe(0)
    await primary.stop('immediate')
    await standby.promote()
    await Promise.all([call, repeated])
    expect((await keysIn(standby)).sort()).toEqual(['before', 'unconfirmed'])
    expect(await rowsIn(standby)).toBe(2)
  })

  test('a commit whose wait for the standby somebody cancelled is not acknowledged', async () => {
    const { primary, wire, url } = pair
    const client = await (await serve(url)).connect()
    await persist(client, 'before')
    wire.silence()
    const waiting = `from pg_stat_activity
      where wait_event = 'SyncRep' and application_name = 'catalyst-db'`
    const refusal = client.refused('persist_news_catalyst', article())
    await waitFor(async () => (await primary.query(`select 1 ${waiting}`)).length > 0)
    await primary.query(`select pg_cancel_backend(pid) ${waiting}`)
    expect(await refusal).toMatchObject({ code: 'outcome_unknown' })
    // What else waits for the standby need not.
    await primary.query('alter system reset synchronous_standby_names')
    await primary.query('select pg_reload_conf()')
  })
})

describe('with asynchronous replication', () => {
  beforeEach(async () => {
    pair = await startPair({ synchronous: false })
  })

  test('what the standby never received is gone, and repeating it by its key does it once', async () => {
    const { primary, standby, wire, url } = pair
    const client = await (await serve(url)).connect()
    await persist(client, 'received')
    await waitFor(async () => (await keysIn(standby)).includes('received'))
    wire.silence()
    const args = { ...article({ symbol: undefined }), idempotency_key: 'never-received' }
    const first = await client.tool('persist_news_catalyst', args)
    await primary.stop('immediate')
    await standby.promote()
    const { answer } = await repeat(client, 'persist_news_catalyst', args)
    expect(answer).not.toHaveProperty('replayed')
    expect(first).not.toHaveProperty('replayed')
    expect((await keysIn(standby)).sort()).toEqual(['never-received', 'received'])
    expect(await rowsIn(standby)).toBe(2)
  })

  test('a commit whose answer is lost in a failover is never taken for done when it is not there', async () => {
    const { primary, standby, wire, toPrimary, url } = pair
    const client = await (await serve(url)).connect()
    await persist(client, 'before')
    await waitFor(async () => (await keysIn(standby)).includes('before'))
    wire.silence()
    let seen = 0
    toPrimary.set({
      at: ({ sinceCommit }) => sinceCommit === 2 && ++seen > 0,
      deliver: false,
      how: 'silence',
      // The audit commits as well: the call's answer is to be among those that are lost.
      times: 4,
    })
    const call = repeat(client, 'persist_news_catalyst', {
      ...article({ symbol: undefined }),
      idempotency_key: 'lost',
    })
    await waitFor(() => seen > 0)
    await waitFor(async () => (await keysIn(primary)).includes('lost'))
    await primary.stop('immediate')
    toPrimary.isClosed = true
    toPrimary.resetAll()
    await standby.promote()
    // Other transactions on the new timeline use up the old one's transaction id.
    for (let i = 0; i < 20; i++) await standby.query('select pg_current_xact_id()')
    const { answer } = await call
    expect(answer).not.toHaveProperty('replayed')
    expect((await keysIn(standby)).sort()).toEqual(['before', 'lost'])
    expect(await rowsIn(standby)).toBe(2)
  })
})

test('a standby alone is read from, and whoever wants to write is told', async () => {
  const primary = await Cluster.start()
  const standby = await primary.startStandby(`host=${primary.sockets} port=5432`)
  const client = await (await serve(standby.url)).connect()
  expect(await client.refused('persist_news_catalyst', article())).toMatchObject({
    code: 'unavailable',
    retryable: true,
    message: expect.stringContaining('reads only'),
  })
  expect(await client.resource('db/status')).toMatchObject({
    status: 'unhealthy',
    postgresql: { status: 'up', in_recovery: true },
  })
})
