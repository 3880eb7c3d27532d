import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { atLeast, atMost, figure, remark, short } from './lib/figure.mjs'
import { interleave, median, timedEach, verify } from './lib/measure.mjs'
import { residentBytes } from './lib/memory-of.mjs'
import { installPeer } from './lib/peer-install.mjs'
import { PEERS } from './lib/peer-list.mjs'
import { migrate } from './lib/postgres.mjs'
import { RawStdio } from './lib/raw-stdio.mjs'
import { cleanEnv, MAIN } from './lib/server.mjs'
import { TcpPostgres } from './lib/tcp-postgres.mjs'

const MB = 1_000_000
const SETTLE_MS = 1_000

/** One select of pg_stat_activity: more than the peers' `select 1`, and the cheapest we serve. */
const OUR_CALL = {
  name: 'read_resource',
  arguments: { uri: 'db/performance/connections?limit=1' },
}

/** Goal 6: a trivial read over stdio against other servers on the same PostgreSQL. */
export async function run(bench) {
  const postgres = await TcpPostgres.start(join(bench.directory, 'tcp'))
  bench.keep(postgres, () => postgres.stop())
  const ours = await ourServer(bench, postgres)
  const { servers, failures } = await runnablePeers(postgres)
  const sizes = { one: bench.size(400, 100), eight: bench.size(800, 200) }
  const sides = Object.fromEntries(
    [ours, ...servers].map((server) => [server.name, () => measure(server, sizes)]),
  )
  const results = await interleave(bench.size(7, 2), sides)
  for (const { ours } of results) verify(!ours.eight.failure, ours.eight.failure)
  return [
    ...servers.flatMap((peer) => compared(peer, results)),
    ...[ours, ...servers].flatMap(({ name }) => absolute(name, results)),
    ...failures,
  ]
}

async function ourServer(bench, postgres) {
  const { env } = await bench.database()
  const ownEnv = { ...env, DATABASE_URL: postgres.url }
  await migrate(ownEnv)
  return { name: 'ours', command: process.execPath, args: [MAIN], env: ownEnv, call: OUR_CALL }
}

/** Every peer that installs, starts and answers; what keeps the others from it is reported. */
async function runnablePeers(postgres) {
  const servers = []
  const failures = []
  for (const peer of PEERS) {
    try {
      const dir = await installPeer(peer)
      const server = { ...peer, ...peer.start({ dir, url: postgres.url, port: postgres.port }) }
      await measure(server, { one: 1, eight: 8 })
      servers.push(server)
    } catch (error) {
      const reason = error.message.replace(/\s+/g, ' ').slice(0, 200)
      failures.push(remark(`${peer.name} does not run here`, reason))
    }
  }
  return { servers, failures }
}

/** A server's whole life: its start, its idle memory, calls one by one and eight at a time. */
async function measure({ command, args, env, call }, sizes) {
  const started = performance.now()
  const server = new RawStdio(command, args, cleanEnv(env))
  try {
    const ask = async () => {
      const result = await server.call(call.name, call.arguments)
      verify(/1/.test(JSON.stringify(result.content)), JSON.stringify(result))
    }
    await server.initialize()
    await ask()
    const startMs = performance.now() - started
    await delay(SETTLE_MS)
    const idleMb = residentBytes(server.pid) / MB
    await timedEach(Math.ceil(sizes.one / 4), 1, ask)
    return {
      startMs,
      idleMb,
      one: await paced(sizes.one, 1, ask),
      eight: await paced(sizes.eight, 8, ask).catch((error) => ({ failure: error.message })),
      busyMb: residentBytes(server.pid) / MB,
    }
  } finally {
    await server.close()
  }
}

async function paced(calls, inFlight, ask) {
  const begun = performance.now()
  const times = await timedEach(calls, inFlight, ask)
  return { rate: (1_000 * calls) / (performance.now() - begun), p50: median(times) }
}

const LINES = [
  { what: 'calls/s, 1 in flight', goal: atLeast(1), read: ({ one }) => one.rate },
  { what: 'calls/s, 8 in flight', goal: atLeast(1), read: ({ eight }) => eight.rate },
  { what: 'start to first answer', goal: atMost(1), read: ({ startMs }) => startMs },
  { what: 'idle memory', goal: atMost(1), read: ({ idleMb }) => idleMb },
]

/** The goal is for peers that run on Node; the others are told for information. */
function compared({ name, isNode = true }, results) {
  const [failure] = results.flatMap((result) => result[name].eight.failure ?? [])
  return LINES.map(({ what, goal, read }) => {
    if (failure && what.includes('8')) return remark(`${name} fails with 8 in flight`, failure)
    return figure({
      name: `${what}: ours / ${name}`,
      values: results.map((result) => read(result.ours) / read(result[name])),
      goal: isNode ? goal : null,
    })
  })
}

/** What one server did by itself, for readers who know their own machine. */
function absolute(name, results) {
  const all = (read) => short(median(results.map((result) => read(result[name]))))
  const failed = results.some((result) => result[name].eight.failure)
  const eight = () => `${all(({ eight }) => eight.rate)}/s p50 ${all(({ eight }) => eight.p50)} ms`
  const told = [
    `p50 ${all(({ one }) => one.p50)} ms`,
    `8 in flight ${failed ? 'fails' : eight()}`,
    `start ${all(({ startMs }) => startMs)} ms`,
    `${all(({ idleMb }) => idleMb)} MB idle, ${all(({ busyMb }) => busyMb)} MB after`,
  ]
  return [
    figure({
      name: `${name} by itself, 1 in flight`,
      unit: '/s',
      values: results.map((result) => result[name].one.rate),
      note: told.join(', '),
    }),
  ]
}
