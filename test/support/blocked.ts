import pg from 'pg'
import { waitFor } from './wait-for.js'

const QUIET_MS = 20_000
const WAIT_FOR_ARTICLES = `
  create or replace function public.wait_for_articles() returns trigger language plpgsql as $$
  begin
    perform set_config('lock_timeout', '0', true);
    perform pg_advisory_xact_lock_shared(4711);
    return null;
  end $$;
  create or replace trigger wait_for_articles
    before insert or update or delete on catalyst.news_articles
    for each statement execute function public.wait_for_articles()`

/**
 * Holds a lock, so that whoever stores an article waits inside PostgreSQL until `release`, or until its
 * statement has run for 30 s: the limit for waits on locks does not count.
 */
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

  static async articles(url: string): Promise<Blocked> {
    const owner = await connected(url)
    await owner.query(WAIT_FOR_ARTICLES)
    await owner.end()
    return Blocked.#behind(url, 'select pg_advisory_xact_lock(4711)')
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
    await waitFor(async () => (await this.waiters()) === count, { what })
  }

  /** Waits until the product runs nothing and holds nothing open; its own limits do that later. */
  async isQuiet(): Promise<void> {
    await waitFor(async () => (await this.#busy()) === 0, {
      timeoutMs: QUIET_MS,
      what: 'a database in which the product runs nothing',
    })
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
