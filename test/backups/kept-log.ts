import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { LogKeeper } from '../../src/domains/backups/capture/log-keeper.js'
import { AppError } from '../../src/errors.js'
import { openStore } from '../../src/platform/objects/open.js'
import type { ObjectStore } from '../../src/platform/objects/store.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { defaultPolicy } from '../../src/policy.js'
import type { TestDatabase } from '../support/database.js'

/** What happens to the store at each write, by the end of the key. */
type Fault = (key: string, when: 'before' | 'after') => void

/** A directory whose writes may go wrong. */
export class FaultyStore {
  isAway = false
  fault: Fault = () => {}

  static async of(folder: string): Promise<{ faults: FaultyStore; objects: ObjectStore }> {
    const location = pathToFileURL(join(folder, 'store')).href
    const s3 = { endpoint: null, region: null, credentials: null }
    const inner = await openStore({ location, s3 })
    const faults = new FaultyStore()
    const objects = new Proxy(inner, {
      get: (target, name) => {
        const found: unknown = Reflect.get(target, name)
        if (typeof found !== 'function') return found
        if (name === 'put') {
          return async (key: string, body: Readable | Uint8Array) => {
            faults.#assertThere()
            faults.fault(key, 'before')
            const put = await target.put(key, body)
            faults.fault(key, 'after')
            return put
          }
        }
        return (...args: unknown[]) => {
          faults.#assertThere()
          return found.apply(target, args)
        }
      },
    })
    return { faults, objects }
  }

  #assertThere(): void {
    if (this.isAway) throw new AppError('unavailable', 'The store is away.')
  }
}

/** One server's keeper of the log, that may die at any moment. */
export function keepLog(
  { url }: TestDatabase,
  {
    folder,
    objects,
    budgetMb = 2_048,
  }: { folder: string; objects: ObjectStore; budgetMb?: number },
) {
  const broken: AppError[] = []
  const failures: unknown[] = []
  const policy = {
    ...defaultPolicy().backups,
    enabled: true,
    segment_seconds: 1,
    wal_budget_mb: budgetMb,
  }
  const keeper = new LogKeeper({
    direct: parseDatabaseUrl(url),
    engine: 'external',
    policy,
    recipients: [],
    spool: join(folder, 'spool'),
    objects: async () => objects,
    broken: async (error) => {
      broken.push(error)
    },
  })
  const dying = new AbortController()
  const run = async (): Promise<void> => {
    while (!dying.signal.aborted) {
      try {
        await keeper.round(dying.signal, () => {})
      } catch (error) {
        failures.push(error)
      }
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const running = run()
  const die = async (): Promise<void> => {
    dying.abort()
    await running
  }
  onTestFinished(die)
  return { keeper, broken, failures, die, dying }
}
