import { expect, test } from 'vitest'
import { Cluster } from '../support/cluster.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { repeat, type Served, serve } from './serving.js'

const CLIENTS = 20

/** Writes by key without pause until `stop`, and counts what the calls were answered with. */
class Writers {
  readonly acknowledged: string[] = []
  readonly refusals: string[] = []
  /** In the order of their answers; `after` so many others. */
  readonly calls: { readonly id: number; readonly after: number; readonly refusals: number }[] = []
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
        const after = writers.calls.length
        const { refusals } = await repeat(client, 'persist_news_catalyst', args)
        writers.acknowledged.push(key)
        writers.refusals.push(...refusals)
        writers.calls.push({ id, after, refusals: refusals.length })
      }
    })
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    await Promise.all(this.#running)
  }
}

test.each(['fast', 'immediate'] as const)(
  'a %s restart under 20 clients loses and doubles nothing, and is forgotten once all are served again',
  async (how) => {
    const cluster = await Cluster.start()
    const writers = Writers.start(await serve(cluster.url))
    await waitFor(() => writers.acknowledged.length > 2 * CLIENTS)
    await cluster.stop(how)
    await cluster.start()
    const before = writers.calls.length
    const served = () => new Set(writers.calls.slice(before).map(({ id }) => id)).size
    await waitFor(() => served() === CLIENTS, { what: 'every client being served again' })
    const again = writers.calls.length
    await waitFor(() => writers.calls.length > again + 2 * CLIENTS)
    await writers.stop()
    const later = writers.calls.filter(({ after }) => after >= again)
    expect(later.length).toBeGreaterThan(0)
    expect(later.filter(({ refusals }) => refusals > 0)).toEqual([])
    const [found] = await cluster.query(`
      select
        (select count(*)::int from catalyst.news_articles) as rows,
        (select count(*)::int from catalyst.idempotency_keys) as keys`)
    const done = writers.acknowledged.length
    expect(found).toEqual({ rows: done, keys: done })
    expect(new Set(writers.refusals.filter((code) => code !== 'unavailable'))).toEqual(new Set())
    process.stdout.write(`${how}: ${done} calls, ${writers.refusals.length} refusals\n`)
  },
)
