import { timedEach, verify } from './measure.mjs'
import { RawHttp } from './raw-http.mjs'
import { WRITES } from './writes.mjs'

/** How many callers write at the same time. */
export const WRITERS = 32

/** Clients that write over HTTP at the same time, one row with each call. */
export class Writers {
  #http
  #database
  #writes
  #expected = 0

  constructor(server, database, writes = WRITES.news) {
    this.#writes = writes
    this.#http = new RawHttp(server.url, WRITERS)
    this.#database = database
  }

  /** Makes the calls, 32 in flight; answers the milliseconds of each. */
  async write(calls) {
    const { tool, table, isAdded } = this.#writes
    const times = await timedEach(calls.length, WRITERS, async (i) => {
      const answer = await this.#http.call(tool, calls[i])
      verify(isAdded(answer), `${tool} did not add a row`)
    })
    this.#expected += calls.length
    const stored = await this.#database.count(table)
    verify(stored === this.#expected, `${stored} rows, not ${this.#expected}`)
    return times
  }

  close() {
    this.#http.close()
  }
}
