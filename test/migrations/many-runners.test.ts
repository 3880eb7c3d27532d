import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { Random } from '../support/random.js'
import { waitFor } from '../support/wait-for.js'
import { BUILT_IN, Operator } from './operator.js'

const LONG = process.env.CATALYST_TEST_LONG === '1'
const SEEDS = Array.from({ length: LONG ? 20 : 3 }, (_, i) => i + 1)
const RUNNERS = 10
const FILES = 50
const ROUNDS = 2
const FIRST = 1_000

/** Files of every kind; each that may write rows tells in the journal that it ran. */
function filesOf(count: number): Record<string, string> {
  const numbers = Array.from({ length: count }, (_, i) => i)
  return Object.fromEntries(numbers.map((i) => [`${FIRST + i}_step.up`, stepOf(i)]))
}

function stepOf(i: number): string {
  const version = FIRST + i
  const note = `insert into public.journal (version) values (${version});`
  if (i === 0) {
    return `create table public.journal (
      entry bigint generated always as identity primary key, version int); ${note}`
  }
  if (i % 10 === 3) {
    return `create index concurrently journal_${version} on public.journal (version)`
  }
  if (i % 10 === 7) return '-- transaction: none\nanalyze public.journal;\nvacuum public.journal'
  return `create table public.t_${version} (); ${note}`
}

const DIST = new URL('../../dist', import.meta.url).href
const PROCESS = fileURLToPath(new URL('runner-process.mjs', import.meta.url))

/** A runner in a process of its own. */
class Runner {
  readonly ended: Promise<{ code: number | null; stderr: string }>
  readonly #child

  constructor({ database, directory }: Operator) {
    const args = [PROCESS, DIST, database.url, BUILT_IN, directory]
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] })
    this.#child = child
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    this.ended = new Promise((resolve) => {
      child.on('close', (code) => resolve({ code, stderr }))
    })
    onTestFinished(() => this.kill())
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

const countApplied = async (operator: Operator): Promise<number> =>
  (await operator.applied()).length

test.each(SEEDS)(
  'ten runners at once, killed at random, apply fifty files once and in order (seed %i)',
  async (seed) => {
    const random = new Random(seed)
    const operator = await Operator.start(filesOf(FILES))
    const start = () => new Runner(operator)
    let runners = Array.from({ length: RUNNERS }, start)
    for (let round = 0; round < ROUNDS; round++) {
      const reached = random.integer((round * FILES) / ROUNDS, ((round + 1) * FILES) / ROUNDS - 2)
      await waitFor(async () => (await countApplied(operator)) >= reached, {
        what: `${reached} applied files`,
        timeoutMs: 300_000,
      })
      // With half of them often the one that is at work, wherever it is.
      const doomed = runners.filter(() => random.chance(0.5))
      for (const runner of doomed) runner.kill()
      runners = [...runners.filter((runner) => !doomed.includes(runner)), ...doomed.map(start)]
    }
    const ends = await Promise.all(runners.map(({ ended }) => ended))
    expect(ends.filter(({ code }) => code !== 0)).toEqual([])

    const versions = Array.from({ length: FILES }, (_, i) => FIRST + i)
    const journal = await operator.database.query<{ version: number }>(
      'select version from public.journal order by entry',
    )
    const noted = versions.filter((version) => ![3, 7].includes(version % 10))
    expect(journal.map(({ version }) => version)).toEqual(noted)
    expect(await operator.applied()).toEqual(versions)
    expect(await operator.log()).toEqual(versions.map((version) => `up ${version}`))
    expect((await operator.service.status()).problems).toEqual([])
    expect(await operator.database.query('select 1 from pg_index where not indisvalid')).toEqual([])
  },
  900_000,
)
