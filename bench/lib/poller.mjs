/** A process that reads db/status over and over, as a dashboard does, and tells how long each took. */
import { setTimeout as delay } from 'node:timers/promises'
import { RawHttp } from './raw-http.mjs'

const PAUSE_MS = 10
const http = new RawHttp(process.argv[2], 1)
let times = []

process.on('message', () => {
  process.send?.(times)
  times = []
})
process.on('disconnect', () => process.exit(0))

for (;;) {
  const started = performance.now()
  const { postgresql } = await http.read('catalyst://db/status')
  if (postgresql.status !== 'up') throw new Error('db/status says that PostgreSQL is down')
  times.push(performance.now() - started)
  await delay(PAUSE_MS)
}
