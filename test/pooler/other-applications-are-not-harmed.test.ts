import pg from 'pg'
import { expect, test } from 'vitest'
import { open } from '../failures/serving.js'
import { createDatabase } from '../support/database.js'
import { article } from '../support/news.js'
import { PgBouncer, type PoolMode } from '../support/pgbouncer.js'
import { waitFor } from '../support/wait-for.js'

const database = await createDatabase()
await database.query(
  'create table public.orders (id bigint generated always as identity, note text)',
)

const POOL_SIZE = 4
const ROUNDS = 6

/** Another application on the same pool, which inserts one row after the other. */
class Application {
  inserted = 0
  readonly failures: string[] = []
  readonly #stopped = new AbortController()
  readonly #running: Promise<void>

  constructor(url: string) {
    this.#running = this.#run(url)
  }

  async #run(url: string): Promise<void> {
    const client = new pg.Client({ connectionString: url, application_name: 'orders' })
    await client.connect()
    while (!this.#stopped.signal.aborted) {
      await client.query("insert into public.orders (note) values ('of the other one')").then(
        () => this.inserted++,
        (error: Error) => this.failures.push(error.message),
      )
    }
    await client.end()
  }

  stop(): Promise<void> {
    this.#stopped.abort()
    return this.#running
  }
}

/** What a client does in a day, some of which is refused without a direct connection. */
async function use(url: string, env: Record<string, string> = {}): Promise<void> {
  const served = await open(url, env)
  try {
    const client = await served.connect()
    for (let round = 0; round < ROUNDS; round++) {
      const calls = [
        client.resource('db/status'),
        client.resource('db/connections'),
        client.resource('news'),
        client.resource('jobs/none'),
        client.tool('persist_news_catalyst', article()),
        client.tool('start_db_session'),
        client.tool('sync_source_metrics'),
        client.tool('run_migrations', { dry_run: true }),
      ]
      await Promise.allSettled(calls)
    }
  } finally {
    await served.close()
  }
}

test.each<PoolMode>(['transaction', 'statement', 'session'])(
  'in %s mode, without a direct connection, the inserts of another application never fail, and nothing stays behind',
  async (mode) => {
    const bouncer = await PgBouncer.forThisTest({
      mode,
      size: POOL_SIZE + (mode === 'session' ? 30 : 0),
    })
    const others = [1, 2, 3].map(() => new Application(bouncer.url(database.name)))
    await use(bouncer.url(database.name))
    await Promise.all(others.map((one) => one.stop()))
    expect(others.flatMap(({ failures }) => failures)).toEqual([])
    expect(Math.min(...others.map(({ inserted }) => inserted))).toBeGreaterThan(ROUNDS)
    if (mode === 'transaction') expect(await bouncer.traces(database.name, POOL_SIZE)).toEqual([])
    bouncer.assertUp()
  },
)

test('with a direct connection nothing stays behind either', async () => {
  const bouncer = await PgBouncer.forThisTest({ size: POOL_SIZE })
  const other = new Application(bouncer.url(database.name))
  await use(bouncer.url(database.name), { DATABASE_DIRECT_URL: database.url })
  await waitFor(() => other.inserted > ROUNDS)
  await other.stop()
  expect(other.failures).toEqual([])
  expect(await bouncer.traces(database.name, POOL_SIZE)).toEqual([])
})
