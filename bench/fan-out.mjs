import { setTimeout as delay } from 'node:timers/promises'
import { Child } from './lib/child.mjs'
import { atMost, figure, short } from './lib/figure.mjs'
import { median, quantile, verify } from './lib/measure.mjs'
import { singleStories } from './lib/news.mjs'
import { RawHttp } from './lib/raw-http.mjs'

const LISTENERS = new URL('./lib/listeners.mjs', import.meta.url)
const EVENT_URI = 'catalyst://events/db.transaction'
/** A subscriber hears of one URI at most once a second; events further apart are told one by one. */
const APART_MS = 1_300
const SUBSCRIBERS = 500

/** Goal 12: from the commit of an event until 500 subscribers have been told, against one. */
export async function run(bench) {
  const events = bench.size(15, 4)
  const one = await fanOut(bench, { subscribers: 1, events, salt: 6 })
  const many = await fanOut(bench, { subscribers: SUBSCRIBERS, events, salt: 7 })
  const told = (times) => `p50 ${short(median(times))} max ${short(Math.max(...times))} ms`
  return [
    figure({
      name: `p99 of an event to ${SUBSCRIBERS} subscribers`,
      unit: 'ms',
      values: [quantile(many, 0.99)],
      goal: atMost(250),
      note: `${told(many)}, ${many.length} told, none lost`,
    }),
    figure({
      name: `p99 to ${SUBSCRIBERS} subscribers / to one`,
      values: [quantile(many, 0.99) / quantile(one, 0.99)],
      note: `one: ${told(one)}`,
    }),
  ]
}

/** How long each subscriber waited for each event, from when the call that makes it was sent. */
async function fanOut(bench, { subscribers, events, salt }) {
  const server = await bench.serve(await bench.database())
  const http = new RawHttp(server.url, 1)
  bench.keep(http, () => http.close())
  const listeners = new Child(LISTENERS, [server.url, EVENT_URI])
  bench.keep(listeners, () => listeners.close())
  await listeners.ask({ open: subscribers })
  const sent = []
  for (const story of singleStories({ count: events + 1, batch: 0, salt })) {
    sent.push(performance.timeOrigin + performance.now())
    await http.call('persist_news_catalyst', story)
    await delay(APART_MS)
  }
  const streams = await listeners.ask({ told: true })
  await listeners.close()
  await server.stop()
  return streams.flatMap((instants) => {
    verify(instants.length === sent.length, `${instants.length} of ${sent.length} events were told`)
    // The first one also opens the server's connections.
    return instants.map((instant, i) => instant - sent[i]).slice(1)
  })
}
