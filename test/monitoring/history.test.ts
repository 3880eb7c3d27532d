import { afterAll, expect, test } from 'vitest'
import { History } from '../../src/domains/monitoring/history.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Database } from '../../src/platform/postgres/database.js'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const MINUTE_MS = 60_000
const { client } = await startApp({ env: monitoringPolicy() })

const rows = await createDatabase()
const database = new Database({ endpoint: parseDatabaseUrl(rows.url), poolMax: 4 })
afterAll(async () => {
  await database.close()
  await rows.drop()
})

/** A server with a clock of its own, which samples when it is told to. */
function server(serverId: string, start = Date.parse('2026-11-20T12:00:00Z')) {
  let now = start
  const clock = { now: () => new Date(now) }
  const deps = { database, clock, serverId, sampleMs: 10_000, keepMinutesDays: 14, keepDays: 90 }
  const history = new History(deps)
  return {
    history,
    at: () => now,
    /** Goes on for so many minutes, with a sample every ten seconds. */
    live: async (
      minutes: number,
      figure: (minute: number) => number | null = (minute) => minute,
    ) => {
      for (let minute = 0; minute < minutes; minute++) {
        for (let sample = 0; sample < 6; sample++) {
          history.add({ tps: figure(minute) })
          now += 10_000
        }
        await history.write()
      }
    },
    skip: (ms: number) => {
      now += ms
    },
  }
}
const minutes = () =>
  rows.query<{ at: string; figures: { tps?: number } }>(
    'select at, figures from catalyst.metrics_1m order by at',
  )

test('minutes are written by one server, and by the next one when it is gone', async () => {
  const [first, second] = [server('srv_1'), server('srv_2')]
  await first.live(1)
  await second.live(1)
  await first.live(2, (minute) => minute + 1)
  await second.live(2, () => 99)
  expect((await minutes()).map(({ figures }) => figures.tps)).toEqual([0, 1, 2])
  await first.history.leave()
  second.skip(0)
  await second.live(1, () => 7)
  expect((await minutes()).map(({ figures }) => figures.tps)).toEqual([0, 1, 2, 7])
})

test('a minute without a sample is missing, and what is not known is no zero', async () => {
  const one = server('srv_2', Date.parse('2026-11-20T13:00:00Z'))
  await one.live(2, () => 5)
  one.skip(3 * MINUTE_MS)
  await one.live(2, () => null)
  const since = await one.history.since(Date.parse('2026-11-20T13:00:00Z'), one.at())
  expect(new Set(since.map(({ figures }) => figures.tps))).toEqual(new Set([5, null]))
  const written = (await minutes()).filter(({ at }) => at >= '2026-11-20T13')
  expect(written.map(({ at, figures }) => [at.slice(14, 16), figures.tps])).toEqual([
    ['00', 5],
    ['01', 5],
    ['05', undefined],
    ['06', undefined],
  ])
})

test('a clock that was set back begins anew instead of mixing two pasts', async () => {
  const one = server('srv_2', Date.parse('2026-11-20T14:00:00Z'))
  await one.live(2, () => 1)
  one.skip(-30 * MINUTE_MS)
  await one.live(1, () => 2)
  expect(one.history.ring.map(({ figures }) => figures.tps)).toEqual(Array(6).fill(2))
})

test('days are partitions, which are made ahead and dropped when they are old', async () => {
  const one = server('srv_2', Date.parse('2026-12-15T00:00:00Z'))
  await one.live(1)
  const days = await rows.query<{ name: string }>(
    `select inhrelid::regclass::text as name from pg_inherits
     where inhparent = 'catalyst.metrics_1m'::regclass order by 1`,
  )
  expect(days.map(({ name }) => name)).toEqual(
    ['14', '15', '16', '17'].map((day) => `catalyst.metrics_1m_202612${day}`),
  )
  expect((await minutes()).every(({ at }) => at > '2026-12')).toBe(true)
})

test('db/metrics answers the figures of this server with gaps before it began', async () => {
  const answer = await waitFor(async () => {
    const now = await client.resource('db/metrics?timeframe=15m&series=tps,connections,rpo_seconds')
    return now.summary.tps.last !== null && now
  })
  expect(answer).toMatchObject({
    timeframe: '15m',
    series: { connections: { unit: 'count' }, tps: { unit: 'per_second' } },
    summary: { connections: { last: expect.toSatisfy((count: number) => count > 0) } },
    unavailable: { rpo_seconds: 'There is no backup yet.' },
  })
  expect(answer.series.connections.points.length).toBeLessThanOrEqual(300)
  expect(answer.series.connections.points[0][1]).toBeNull()
  expect(answer.gaps[0][0]).toBe(answer.from)
  expect(
    answer.series.tps.points.every(
      ([, value]: [string, number | null]) => value === null || value >= 0,
    ),
  ).toBe(true)
  expect(Object.keys((await client.resource('db/metrics')).series)).toContain('call_p95_ms')
})

test.each(['14m', '31d', '1w', '1h;', 'abc'])('the time frame %s is refused', async (timeframe) => {
  await expect(client.resource(`db/metrics?timeframe=${timeframe}`)).rejects.toThrow(/timeframe/)
})

test('a series that there is not is refused with those there are', async () => {
  await expect(client.resource('db/metrics?series=tps,speed')).rejects.toThrow(/query_avg_ms/)
})
