import { loadConfig } from '../../src/config.js'
import { Backends } from '../../src/domains/assistant/backends.js'
import type { Answer, Hands } from '../../src/domains/assistant/hands.js'
import { AssistantService } from '../../src/domains/assistant/service.js'
import type { Seen } from '../../src/domains/assistant/snapshot.js'
import { EVERYTHING } from '../../src/lib/scope.js'
import { createLog } from '../../src/platform/log.js'
import { Database } from '../../src/platform/postgres/database.js'
import { defaultPolicy, type Policy } from '../../src/policy.js'
import { openDatabase } from '../../src/systems.js'
import type { TestApp } from '../support/app.js'

/** Parts that are well, unless a test says otherwise: resources by path, tools by name. */
export interface World {
  readonly resources: Record<string, unknown>
  readonly tools: Record<string, (args: Readonly<Record<string, unknown>>) => unknown>
}

export const WELL = {
  status: 'healthy',
  reasons: [],
  postgresql: { status: 'up', engine: 'embedded' },
  redis: { status: 'ready' },
  connection_pool: { active: 1, waiting: 0, max: 10 },
  replication_lag: null,
}

/** A Sunday in New York, so that the market is closed; tests move it on. */
export class TestClock {
  #ms = Date.parse('2026-03-01T17:00:00Z')
  now = (): Date => new Date(this.#ms)
  pass(minutes: number): void {
    this.#ms += minutes * 60_000
  }
}

/** The assistant on the ledger of a real database, with hands that reach into a made-up world. */
export async function assistantIn(
  app: TestApp,
  world: World,
  policy: Partial<Policy['assistant']>,
  clock = new TestClock(),
  serverId = 'srv_test',
) {
  const log = createLog('silent')
  const systems = await openDatabase(loadConfig({ DATABASE_URL: app.database.url }), log, 'present')
  const database = new Database({ endpoint: systems.pooled, poolMax: 3 })
  const read = async (path: string): Promise<Seen<unknown>> => {
    const value = world.resources[path.split('?')[0] ?? '']
    return value === undefined
      ? { known: false, reason: 'It is not there.' }
      : { known: true, value }
  }
  const hands: Hands = {
    read,
    question: async () => null,
    call: async ({ tool, arguments: args }, { signal }): Promise<Answer> => {
      try {
        const work = Promise.resolve(world.tools[tool]?.(args))
        const gone = new Promise<never>((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')))
        })
        return { ok: true, data: await Promise.race([work, gone]) }
      } catch (error) {
        const message = (error as Error).message
        return {
          ok: false,
          error: { code: 'unavailable', message, hint: null, retryable: true, reference: '' },
        }
      }
    },
  }
  const service = new AssistantService({
    database,
    hands,
    policy: { ...defaultPolicy().assistant, trial_days: 0, ...policy },
    clock,
    serverId,
    log,
    backends: new Backends({ database }),
    nextRun: () => null,
  })
  const caller = {
    principal: 'operator',
    owner: 'operator',
    scope: EVERYTHING,
    requestId: 'req',
    signal: new AbortController().signal,
    record: null,
    confirmedPlan: null,
    progress: () => {},
  }
  return {
    clock,
    service,
    database,
    round: (signal = caller.signal) => service.run({ dry_run: false }, { ...caller, signal }),
    close: async () => {
      await database.close()
      await systems.close()
    },
  }
}

/** A table with dead rows, as monitoring tells of it. */
export const bloated = (dead_rows: number, name = 'catalyst.news') => ({
  findings: {
    findings: [
      {
        check: 'dead_rows',
        severity: 'warning',
        object: name,
        title: `Many rows of ${name} are dead.`,
        evidence: { dead_rows },
      },
    ],
  },
  tables: {
    tables: [
      { name, size_bytes: 1e6, rows: 1e5, dead_rows, last_vacuum: null, last_analyze: null },
    ],
  },
})
