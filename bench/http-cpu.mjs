import { fileURLToPath } from 'node:url'
import { atMost, figure, short } from './lib/figure.mjs'
import { interleave, median, timedEach, verify } from './lib/measure.mjs'
import { RawHttp } from './lib/raw-http.mjs'
import { HttpServer } from './lib/server.mjs'

const ECHO = fileURLToPath(new URL('./lib/echo-server.mjs', import.meta.url))
/** Answered from the server's memory: no statement is run for it. */
const URI = 'db/sessions/active'
const IN_FLIGHT = [1, 8, 32]

/** Goal 7: CPU of one tools/call over HTTP, every tool registered, against a bare HTTP echo. */
export async function run(bench) {
  const database = await bench.database()
  const echo = new HttpServer({}, [], [ECHO])
  bench.keep(echo, () => echo.stop())
  const servers = { ours: await bench.serve(database), bare: await echo.ready() }
  const http = Object.fromEntries(
    Object.entries(servers).map(([side, { url }]) => [side, new RawHttp(url, IN_FLIGHT.at(-1))]),
  )
  for (const one of Object.values(http)) bench.keep(one, () => one.close())
  const { tools } = await http.ours.listTools()

  const measure = (inFlight, calls) => async (side) => {
    const before = await servers[side].usage()
    const times = await timedEach(calls, inFlight, async () => {
      const answer = await http[side].call('read_resource', { uri: URI })
      verify(side === 'bare' || answer.others === 0, JSON.stringify(answer))
    })
    const after = await servers[side].usage()
    return { us: (1_000 * (after.cpuMs - before.cpuMs)) / calls, p50: median(times) }
  }

  const figures = []
  for (const inFlight of IN_FLIGHT) {
    const one = measure(inFlight, bench.size(2_000, 400))
    const sides = { ours: () => one('ours'), bare: () => one('bare') }
    await interleave(1, sides)
    const results = await interleave(bench.size(9, 3), sides)
    const us = (side) => short(median(results.map((result) => result[side].us)))
    const p50 = (side) => short(median(results.map((result) => result[side].p50)))
    figures.push(
      figure({
        name: `tools/call CPU over HTTP, ${inFlight} in flight / node:http`,
        values: results.map(({ ours, bare }) => ours.us / bare.us),
        goal: atMost(12),
        note: `${us('ours')} us p50 ${p50('ours')} ms, ${tools.length} tools; bare ${us('bare')} us p50 ${p50('bare')} ms`,
      }),
    )
  }
  return figures
}
