import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { repeat, type Served, serve } from './serving.js'

const CLIENTS = 20
const RECOVERY_MS = 10_000
/** By then every caller is served again. */
const NOTICED_MS = 2_000

/** Writes by key without pause until `stop`, and counts what the calls were answered with. */
class Writers {
  readonly acknowledged: string[] = []
  readonly refusals: string[] = []
  readonly calls: {
    readonly refusals: number
    readonly begunAt: number
    readonly endedAt: number
  }[] = []
  #isStopped = false
  readonly #running: Promise<void>[]

  private constructor(run: (writers: Writers, id: number) => Promise<void>) {
    this.#running = Array.from({ length: CLIENTS }, (_, id) => run(this, id))
  }

  static start(served: Served): Writers {
    return new Writers(async (writers, id) => {
      const client = await served.connect(id % 2 ? 'legacy' : 'modern')
      for (let n = 0; !writers.#isStopped; n++) {
        const key = `writer-${id}-${n}`
        const args = { ...article({ symbol: undefined }), idempotency_key: key }
        const begunAt = performance.now()
        const { refusals } = await repeat(client, 'persist_news_catalyst', args)
        writers.acknowledged.push(key)
        writers.refusals.push(...refusals)
        writers.calls.push({ refusals: refusals.length, begunAt, endedAt: performance.now() })
      }
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
  }
}

test.each(['fast', 'immediate'] as const)(
  'a %s restart under 20 clients loses and doubles nothing, and is forgotten 2 s later',
  { timeout: 120_000 },
  async (how) => {
    const cluster = await Cluster.start()
    const served = await serve(cluster.url)
    const writers = Writers.start(served)
    await waitFor(() => writers.acknowledged.length > 2 * CLIENTS)
    await cluster.stop(how)
    const before = writers.acknowledged.length
    await cluster.start()
    const startedAt = performance.now()
    await waitFor(() => writers.acknowledged.length > before + 2 * CLIENTS, { timeoutMs: 30_000 })
    await writers.stop()
    const first = writers.calls.filter(({ endedAt }) => endedAt > startedAt)
    const recovery = Math.max(...first.slice(0, CLIENTS).map(({ endedAt }) => endedAt)) - startedAt
    expect(recovery).toBeLessThan(RECOVERY_MS)
    const later = writers.calls.filter(({ begunAt }) => begunAt > startedAt + NOTICED_MS)
    expect(later.filter(({ refusals }) => refusals > 0)).toEqual([])
    const [found] = await cluster.query(`
      select
        (select count(*)::int from catalyst.news_articles) as rows,
        (select count(*)::int from catalyst.idempotency_keys) as keys`)
    const done = writers.acknowledged.length
    expect(found).toEqual({ rows: done, keys: done })
    expect(new Set(writers.refusals.filter((code) => code !== 'unavailable'))).toEqual(new Set())
    process.stdout.write(
      `${how}: ${done} calls, ${writers.refusals.length} refusals, recovered in ${Math.round(recovery)} ms\n`,
    )
  },
)
