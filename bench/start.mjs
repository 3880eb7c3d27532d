import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { atMost, figure, short } from './lib/figure.mjs'
import { interleave, median, verify } from './lib/measure.mjs'
import { cleanEnv, startStdio } from './lib/server.mjs'

/** Goal 13: from the start of the process to its first answer from the database, over stdio. */
export async function run(bench) {
  const { env } = await bench.database()
  const warm = { CATALYST_DATA_DIR: join(bench.directory, 'warm') }
  await firstAnswer(warm)
  const sides = {
    hello: bareHello,
    external: () => firstAnswer(env),
    warm: () => firstAnswer(warm),
    first: (round) => firstAnswer({ CATALYST_DATA_DIR: join(bench.directory, `first-${round}`) }),
  }
  const results = await interleave(bench.size(11, 3), sides)
  const seconds = (side) => results.map((result) => result[side] / 1_000)
  const line = (name, side, goal) =>
    figure({ name: `start to first answer, ${name}`, unit: 's', values: seconds(side), goal })
  return [
    line('external services', 'external', atMost(0.5)),
    line('embedded, warm', 'warm', atMost(1)),
    line('embedded, first time', 'first', atMost(5)),
    figure({
      name: 'start, external services / bare node',
      values: results.map(({ external, hello }) => external / hello),
      note: `bare node says hello after ${short(1_000 * median(seconds('hello')))} ms`,
    }),
  ]
}

async function firstAnswer(env) {
  const started = performance.now()
  const server = startStdio(env)
  await server.initialize()
  const { structuredContent } = await server.call('read_resource', { uri: 'db/status' })
  const ms = performance.now() - started
  verify(structuredContent.postgresql.status === 'up', JSON.stringify(structuredContent))
  await server.close()
  return ms
}

async function bareHello() {
  const started = performance.now()
  const node = spawn(process.execPath, ['-e', 'console.log("hello")'], { env: cleanEnv({}) })
  await once(node.stdout, 'data')
  const ms = performance.now() - started
  if (node.exitCode === null) await once(node, 'exit')
  return ms
}
