import pg from 'pg'
import { waitFor } from './wait-for.js'

/** Holds a lock, so that whoever stores an article waits inside PostgreSQL until `release`. */
export class Blocked {
  readonly #client: pg.Client
  /** Inside a transaction PostgreSQL would go on showing what it showed first. */
  readonly #observer: pg.Client

  private constructor(client: pg.Client, observer: pg.Client) {
    this.#client = client
    this.#observer = observer
  }

  static async #behind(url: string, text: string, values: unknown[] = []): Promise<Blocked> {
    const client = await connected(url)
    const observer = await connected(url)
    await client.query('begin')
    await client.query(text, values)
    return new Blocked(client, observer)
  }

  static articles(url: string): Promise<Blocked> {
    return Blocked.#behind(url, 'lock table catalyst.news_articles in exclusive mode')
  }

  /** Holds an idempotency key as a call in flight does. */
  static key(url: string, key: string): Promise<Blocked> {
    const text = `
      insert into catalyst.idempotency_keys (principal, key, tool, arguments_sha256)
      values ('local', $1, '', '')`
    return Blocked.#behind(url, text, [key])
  }

  /** Waits until so many statements wait for the lock. */
  async hasWaiters(count = 1): Promise<void> {
    const what = `${count} statements waiting for the lock`
    await waitFor(async () => (await this.waiters()) === count, { what, timeoutMs: 20_000 })
  }

  /** How long it takes until the product runs nothing and holds nothing open, in milliseconds. */
  async quietAfter(): Promise<number> {
    const started = performance.now()
    await waitFor(async () => (await this.#busy()) === 0, {
      timeoutMs: 5_000,
      what: 'a database in which the product runs nothing',
    })
    return performance.now() - started
  }

  async release(): Promise<void> {
    await Promise.all([this.#client.end(), this.#observer.end()])
  }

  /** How many statements wait for the lock. */
  waiters = () =>
    this.#count(`application_name = 'catalyst-db' and wait_event_type = 'Lock'
      and state = 'active'`)

  /** Statements that run, and transactions left open by nobody. */
  #busy = () =>
    this.#count(`application_name = 'catalyst-db'
      and (wait_event_type = 'Lock' or state like 'idle in transaction%')`)

  async #count(condition: string): Promise<number> {
    const { rows } = await this.#observer.query<{ n: number }>(`
      select count(*)::int as n
      from pg_stat_activity
      where datname = current_database() and ${condition}`)
    return rows[0]?.n ?? 0
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: 'test' })
  client.on('error', () => {})
  await client.connect()
  return client
}
