import { timedEach, verify } from './measure.mjs'
import { RawHttp } from './raw-http.mjs'

/** How many callers write at the same time. */
export const WRITERS = 32

/** Clients that persist single stories over HTTP at the same time. */
export class Writers {
  #http
  #database
  #expected = 0

  constructor(server, database) {
    this.#http = new RawHttp(server.url, WRITERS)
    this.#database = database
  }

  /** Persists the stories, 32 calls in flight; answers the milliseconds of each. */
  async write(stories) {
    const times = await timedEach(stories.length, WRITERS, async (i) => {
      const answer = await this.#http.call('persist_news_catalyst', stories[i])
      verify(answer.duplicate === false, 'a new story was taken for a known one')
    })
    this.#expected += stories.length
    const stored = await this.#database.count('catalyst.news_articles')
    verify(stored === this.#expected, `${stored} rows, not ${this.#expected}`)
    return times
  }

  close() {
    this.#http.close()
  }
}
