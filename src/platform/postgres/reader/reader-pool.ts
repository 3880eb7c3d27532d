import { bulkhead } from 'cockatiel'
import { abortError } from '../../../errors.js'
import { translate } from '../errors.js'
import type { Reader, ReaderLogin } from './reader-login.js'
import type { ReaderSession } from './reader-session.js'

/** Statements at a time; each takes a connection beside the pool. */
const MOST = 4
const IDLE_MS = 60_000

interface Idle {
  readonly session: ReaderSession
  readonly reader: Reader
  readonly since: number
}

/** Connections of the reader, each lent to one statement at a time and cleaned before the next. */
export class ReaderPool {
  readonly #login: ReaderLogin
  readonly #turns = bulkhead(MOST, Number.MAX_SAFE_INTEGER)
  #idle: Idle[] = []
  #sweep: NodeJS.Timeout | null = null
  #isClosed = false

  constructor(login: ReaderLogin) {
    this.#login = login
  }

  /**
   * Lets `work` use a connection inside a transaction that cannot write and is always rolled back.
   *
   * @param database another one of the same server; null is that of the product
   * @throws AppError `permission_denied`, `unavailable`, or what `work` throws
   */
  use<T>(
    database: string | null,
    signal: AbortSignal,
    work: (session: ReaderSession, reader: Reader) => Promise<T>,
  ): Promise<T> {
    return this.#turns.execute(async () => {
      if (signal.aborted) throw abortError(signal)
      const { session, reader } = await this.#take(database)
      try {
        return await work(session, reader)
      } finally {
        const cleaned = session
          .reset()
          .then(() => this.#giveBack(database, { session, reader, since: Date.now() }))
        // The next statement takes another connection meanwhile; another database may be dropped after the answer.
        if (database !== null) await cleaned
      }
    })
  }

  /** Lets the reader read what it cannot read yet. */
  letRead(database: string | null): Promise<boolean> {
    return this.#login.letRead(database)
  }

  /** Closes every connection. */
  close(): void {
    this.#isClosed = true
    if (this.#sweep) clearInterval(this.#sweep)
    for (const { session } of this.#idle) session.end()
    this.#idle = []
  }

  /** One that is idle may have died unnoticed: nothing was done on it yet, so another one is taken. */
  async #take(database: string | null): Promise<Omit<Idle, 'since'>> {
    while (database === null && this.#idle.length > 0) {
      const kept = this.#idle.pop()
      if (!kept || kept.session.isLost) continue
      if (await isBegun(kept.session)) return kept
    }
    try {
      const made = await this.#login.connect(database)
      await made.session.begin()
      return made
    } catch (error) {
      throw translate(error)
    }
  }

  async #giveBack(database: string | null, idle: Idle): Promise<void> {
    if (idle.session.isLost) return
    if (database !== null || this.#isClosed || this.#idle.length >= MOST) return idle.session.end()
    this.#idle.push(idle)
    this.#sweep ??= setInterval(() => this.#dropOld(), IDLE_MS / 2).unref()
  }

  #dropOld(): void {
    const old = this.#idle.filter(({ since }) => since < Date.now() - IDLE_MS)
    this.#idle = this.#idle.filter((one) => !old.includes(one))
    for (const { session } of old) session.end()
  }
}

const isBegun = (session: ReaderSession): Promise<boolean> =>
  session.begin().then(
    () => true,
    () => {
      session.end()
      return false
    },
  )
