import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { AppError } from '../../errors.js'
import { OwnClient } from './client.js'
import { unreachable } from './errors.js'
import type { Target } from './host-list.js'
import type { ConnectionSettings } from './settings.js'
import { type Standing, settle, sever } from './standing.js'

interface Found {
  readonly target: Target
  readonly standing: Standing
}

/** Once a primary answered, how long a slower server may still say that it has a newer history. */
const GRACE_MS = 500

/** A connection, and what its server said of itself. */
export interface Connected {
  readonly client: pg.Client
  readonly standing: Standing
}

/**
 * The servers of one database: which of them is the read-write primary, and what is known of its
 * history. A promotion starts a new timeline, so a primary on an older one than was seen before was
 * left behind by a failover: it is refused, and connections to it are cut.
 */
export class Servers {
  readonly #targets: readonly [Target, ...Target[]]
  readonly #config: pg.ClientConfig
  readonly #open = new Map<pg.ClientBase, Found>()
  readonly #peers = new Set<Servers>()
  #primary: Target
  #isSure: boolean
  #timeline = 0
  #looking: Promise<Target> | null = null

  constructor(targets: readonly [Target, ...Target[]], config: pg.ClientConfig) {
    this.#targets = targets
    this.#config = config
    this.#primary = targets[0]
    this.#isSure = targets.length === 1
  }

  /** Where a connection made right now goes. */
  get assumedPrimary(): Target {
    return this.#primary
  }

  /** There is a choice, so that whoever does not take writes is not connected to. */
  get areSeveral(): boolean {
    return this.#targets.length > 1
  }

  /**
   * Where writes go: at once while that is known, else after asking every server.
   *
   * @throws AppError `unavailable` when no server takes writes
   */
  async primary(): Promise<Target> {
    if (this.#isSure) return this.#primary
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null
    })
    return this.#looking
  }

  /** A connected client of the primary, with what its server said of itself. */
  async connect(
    overrides: pg.ClientConfig = {},
    settings: ConnectionSettings = {},
  ): Promise<Connected> {
    const isFromMemory = this.#isSure
    try {
      return await this.#connectTo(await this.primary(), overrides, settings)
    } catch (error) {
      // What was remembered of the servers may have changed; what was just asked has not.
      if (!this.areSeveral || !isFromMemory) throw error
      return await this.#connectTo(await this.primary(), overrides, settings)
    }
  }

  /** A connected client of the first server that answers, whatever it is. */
  async connectToAny(overrides: pg.ClientConfig, settings: ConnectionSettings): Promise<Connected> {
    const failures: unknown[] = []
    for (const target of this.#targets) {
      try {
        return await this.#settled(await this.#reach(target, overrides), (client) =>
          settle(client, settings),
        )
      } catch (error) {
        failures.push(error)
      }
    }
    throw failures[0]
  }

  /**
   * Takes a new connection in after asking its server what it is.
   *
   * @throws AppError `unavailable` when it must not be used
   */
  async admit(client: pg.ClientBase, settings?: ConnectionSettings): Promise<Standing> {
    try {
      const standing = await settle(client, settings)
      this.#refuse(standing)
      this.#keep(client, { target: this.targetOf(client), standing })
      return standing
    } catch (error) {
      this.suspect()
      throw error
    }
  }

  /** What the server of an admitted connection said of itself; null once that was cut or lost. */
  standingOf(client: pg.ClientBase): Standing | null {
    return this.#open.get(client)?.standing ?? null
  }

  /** The server that a client was made for. */
  targetOf(client: pg.ClientBase): Target {
    const [host, port] = ['host', 'port'].map((name) => Reflect.get(client, name))
    return this.#targets.find((one) => one.host === host && one.port === port) ?? this.#primary
  }

  /** Notes that the primary may be another one by now. */
  suspect(): void {
    this.#isSure = !this.areSeveral
  }

  /**
   * Notes that a server refused to write: its connection is cut, and so are all whose servers said
   * that they write, for that may have changed as well.
   */
  demote(refused: pg.ClientBase): void {
    this.suspect()
    for (const [client, { standing }] of [...this.#open]) {
      if (client === refused || !standing.in_recovery) this.#cut(client)
    }
  }

  /** What the one learns of the history, the other knows as well: two ways to one database. */
  shareHistory(other: Servers): void {
    this.#peers.add(other)
    other.#peers.add(this)
  }

  /**
   * Checks that a transaction runs where the history goes on. Behind a pooler its connection says
   * nothing about the server that it was given.
   *
   * @throws AppError `unavailable` on a timeline that was left behind
   */
  assertCurrent(timeline: number): void {
    if (timeline < this.#timeline) throw leftBehind()
    this.observe(timeline)
  }

  /** Notes a timeline that was seen; connections to servers on an older one are cut. */
  observe(timeline: number): void {
    if (timeline <= this.#timeline) return
    this.#timeline = timeline
    for (const peer of this.#peers) peer.observe(timeline)
    for (const [client, { standing }] of [...this.#open]) {
      if (standing.timeline !== null && standing.timeline < timeline) this.#cut(client)
    }
  }

  /** All are asked, not the first that answers: a primary that was left behind may be among them. */
  async #look(): Promise<Target> {
    const found: Found[] = []
    const failures: unknown[] = []
    const asked = this.#targets.map(async (target) => {
      try {
        const standing = await this.#ask(target)
        if (this.#isPrimary(standing)) found.push({ target, standing })
      } catch (error) {
        failures.push(error)
      }
    })
    const all = Promise.all(asked)
    const first = Promise.any(asked.map((one) => one.then(() => found[0] ?? Promise.reject())))
    await Promise.race([
      all,
      first.then(
        () => delay(GRACE_MS),
        () => all,
      ),
    ])
    const [best] = found.sort((a, b) => rank(b.standing) - rank(a.standing))
    // Where none answers, why not is worth more than that none is the primary.
    if (!best)
      throw failures.length === this.#targets.length ? unreachable(failures[0]) : noPrimary()
    const hasMoved = best.target !== this.#primary
    this.#primary = best.target
    this.#isSure = true
    this.observe(best.standing.timeline ?? 0)
    if (hasMoved) this.#cutOthers(best.target)
    return best.target
  }

  async #ask(target: Target): Promise<Standing> {
    const client = await this.#reach(target)
    try {
      return await settle(client)
    } finally {
      sever(client)
    }
  }

  async #connectTo(
    target: Target,
    overrides: pg.ClientConfig,
    settings: ConnectionSettings,
  ): Promise<Connected> {
    const client = await this.#reach(target, overrides).catch((error: unknown) => {
      this.suspect()
      throw error
    })
    return this.#settled(client, () => this.admit(client, settings))
  }

  async #settled(
    client: pg.Client,
    ask: (client: pg.Client) => Promise<Standing>,
  ): Promise<Connected> {
    try {
      return { client, standing: await ask(client) }
    } catch (error) {
      sever(client)
      throw unreachable(error)
    }
  }

  async #reach(target: Target, overrides: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new OwnClient({ ...this.#config, ...target, ...overrides })
    try {
      await client.connect()
    } catch (error) {
      sever(client)
      throw unreachable(error)
    }
    return client
  }

  #isPrimary(standing: Standing): boolean {
    return !standing.in_recovery && !this.#isLeftBehind(standing)
  }

  #isLeftBehind({ timeline }: Standing): boolean {
    return timeline !== null && timeline < this.#timeline
  }

  #refuse(standing: Standing): void {
    if (standing.encoding === NO_ENCODING) throw withoutEncoding()
    if (this.#isLeftBehind(standing)) throw leftBehind()
    if (this.areSeveral && !this.#isPrimary(standing)) throw noPrimary()
  }

  #keep(client: pg.ClientBase, found: Found): void {
    this.#open.set(client, found)
    client.once('end', () => this.#open.delete(client))
    this.observe(found.standing.timeline ?? 0)
  }

  #cutOthers(target: Target): void {
    for (const [client, found] of [...this.#open]) if (found.target !== target) this.#cut(client)
  }

  #cut(client: pg.ClientBase): void {
    this.#open.delete(client)
    sever(client)
  }
}

/** Texts are stored as the bytes that came, whatever they mean. */
const NO_ENCODING = 'SQL_ASCII'

const withoutEncoding = (): AppError =>
  new AppError(
    'unavailable',
    'The encoding of the database is SQL_ASCII, which knows no characters: create one with "createdb --template=template0 --encoding=UTF8" and point DATABASE_URL at it.',
    {
      hint: 'Move what the old one holds with pg_dump --encoding and pg_restore.',
      retryable: false,
    },
  )

const rank = ({ timeline }: Standing): number => timeline ?? 0

const noPrimary = (): AppError =>
  new AppError('unavailable', 'No PostgreSQL server of DATABASE_URL takes writes at the moment.', {
    hint: 'A failover may be under way; nothing was written. Send the same call again in a few seconds; read catalyst://db/status to see when the database is back.',
    fix: 'A failover may be under way; "catalyst-db doctor" says whether it is over.',
  })

const leftBehind = (): AppError =>
  new AppError('unavailable', 'This PostgreSQL server was left behind by a failover.', {
    hint: 'Another server has taken over since; nothing was written. Rebuild this one as its standby. If it was put back on purpose, restart catalyst-db.',
  })
