import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { Bench } from './lib/bench.mjs'
import { lineOf } from './lib/figure.mjs'

/** Goals by number, in the order they are run. */
const GOALS = [
  { number: 1, name: 'persist-batch-10000', load: () => import('./persist-batch-10000.mjs') },
  { number: 2, name: 'persist-batch-1000', load: () => import('./persist-batch-1000.mjs') },
  { number: 3, name: 'persist-one', load: () => import('./persist-one.mjs') },
  { number: 4, name: 'concurrent-writers', load: () => import('./concurrent-writers.mjs') },
  { number: 5, name: 'status-under-load', load: () => import('./status-under-load.mjs') },
  { number: 6, name: 'peers', load: () => import('./peers.mjs') },
  { number: 7, name: 'http-cpu', load: () => import('./http-cpu.mjs') },
  { number: 10, name: 'sync-history', load: () => import('./sync-history.mjs') },
  {
    number: 11,
    name: 'cache-invalidation',
    load: () => import('./cache-invalidation.mjs'),
  },
  { number: 12, name: 'fan-out', load: () => import('./fan-out.mjs') },
  { number: 13, name: 'start', load: () => import('./start.mjs') },
  { number: 14, name: 'memory', load: () => import('./memory.mjs') },
  { number: 15, name: 'tool-list', load: () => import('./tool-list.mjs') },
]

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    profile: { type: 'string' },
  },
})

const unknown = positionals.filter((wanted) => !GOALS.some((goal) => isNamed(goal, wanted)))
if (unknown.length > 0) {
  console.error(`There is no goal ${unknown.join(', ')}. There are:`)
  for (const { number, name } of GOALS) console.error(`  ${number}  ${name}`)
  process.exit(2)
}

const bench = new Bench({ quick: options.quick, profileDir: options.profile })
let isStopping = false
for (const [signal, exitCode] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  process.once(signal, async () => {
    isStopping = true
    await bench.close()
    process.exit(exitCode)
  })
}

const results = []
try {
  for (const goal of GOALS) {
    if (positionals.length > 0 && !positionals.some((wanted) => isNamed(goal, wanted))) continue
    const { run } = await goal.load()
    const result = await bench.measure({ ...goal, run })
    results.push(result)
    if (!options.json) print(result)
  }
  if (options.json) console.log(JSON.stringify({ node: process.version, results }, null, 2))
} catch (error) {
  if (!isStopping) throw error
} finally {
  if (!isStopping) await bench.close()
}

function isNamed({ number, name }, wanted) {
  return String(number) === wanted || name === wanted
}

function print({ number, name, figures, load }) {
  console.log(`\n${number}. ${name}  load ${load.before} -> ${load.after} on ${cpus().length} CPUs`)
  for (const figure of figures) console.log(`  ${lineOf(figure)}`)
}
