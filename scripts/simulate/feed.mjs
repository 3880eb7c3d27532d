// @ts-check
import { madeUpWord, TRADING_DAYS } from './market.mjs'

/** @typedef {import('./market.mjs').Source} Source */
/** @typedef {import('./market.mjs').Security} Security */

/**
 * @typedef {object} Telling a story as one source tells it
 * @property {Source} source
 * @property {Security} security
 * @property {string} headline
 * @property {string} keyword
 * @property {number} published_ms
 * @property {boolean} isRight whether who trades on it wins
 * @property {boolean} isCited
 */

/**
 * @typedef {object} Article what is sent
 * @property {number} arrives_ms
 * @property {Record<string, unknown>} content
 */

/**
 * @typedef {object} Planted of one source
 * @property {number} articles
 * @property {number} duplicates repeats of a headline; the very same article again is not counted
 * @property {number} confirmed stories that a trusted source told afterwards
 */

const MINUTE_MS = 60_000
const FIRST_MINUTE = 8 * 60
const LAST_MINUTE = 21 * 60
const REPEATED = 0.2
const SENT_AGAIN = 0.6
const TOLD_BY_OTHERS = 0.1
const TRUSTED_TIER = 2

/** At most four words: two stories of one company never share enough words to be taken for one. */
const PHRASES = /** @type {const} */ ([
  ['earnings', 'reports quarterly earnings on'],
  ['fda', 'wins fda approval for'],
  ['merger', 'agrees merger terms over'],
  ['guidance', 'raises guidance citing'],
  ['product', 'launches new product named'],
  ['partnership', 'signs partnership deal with'],
  ['analyst', 'faces analyst downgrade on'],
  ['legal', 'settles lawsuit with'],
  ['dividend', 'lifts dividend despite'],
])
const PLACES = ['abroad', 'overseas', 'nationwide', 'everywhere', 'locally', 'online']
const ADDED = ['today', 'reportedly', 'officially', 'quietly', 'finally', 'again']

/** Stories as they come in: told by several sources, repeated, sent again. */
export class Feed {
  /** @type {Map<string, Planted>} */
  planted = new Map()
  #market
  #random
  #articles
  #sent = 0
  #words = 0

  /**
   * @param {import('./market.mjs').Market} market
   * @param {import('./random.mjs').Random} random
   * @param {number} articles
   */
  constructor(market, random, articles) {
    this.#market = market
    this.#random = random
    this.#articles = articles
    for (const { name } of market.sources) {
      this.planted.set(name, { articles: 0, duplicates: 0, confirmed: 0 })
    }
  }

  /**
   * The stories of one trading day, and what is sent of them.
   *
   * @param {number} day
   * @returns {{ tellings: Telling[], articles: Article[] }}
   */
  day(day) {
    /** @type {Telling[][]} */
    const events = []
    /** @type {Article[]} */
    const articles = []
    const wanted = Math.round((this.#articles * (day + 1)) / TRADING_DAYS)
    for (; this.#sent < wanted; this.#sent++) {
      const event = events.length > 0 ? this.#random.pick(events) : null
      const roll = this.#random.next()
      if (event && roll < REPEATED) articles.push(this.#repeat(this.#random.pick(event)))
      else articles.push(this.#tell(day, events, roll < REPEATED + TOLD_BY_OTHERS ? event : null))
    }
    for (const event of events) this.#countConfirmed(event)
    return { tellings: events.flat(), articles }
  }

  /** @type {(day: number, events: Telling[][], told: Telling[] | null) => Article} */
  #tell(day, events, told) {
    const event = told && told.length < this.#market.sources.length ? told : []
    const [first] = event
    const silent = this.#market.sources.filter((one) => !event.some(({ source }) => source === one))
    const source = this.#random.pick(silent)
    const telling = {
      ...(first ? this.#retold(first) : this.#newStory(day)),
      source,
      isRight: this.#random.chance(source.planted),
      isCited: false,
    }
    event.push(telling)
    if (!first) events.push(event)
    this.#countOf(source).articles++
    return { arrives_ms: telling.published_ms, content: articleOf(telling) }
  }

  /** @type {(day: number) => Omit<Telling, 'source' | 'isRight' | 'isCited'>} */
  #newStory(day) {
    const security = this.#random.pick(this.#market.securities)
    const [keyword, phrase] = this.#random.pick(PHRASES)
    const names = [this.#newWord(), this.#newWord(), this.#newWord()].join(' ')
    const midnight = this.#market.days[day] ?? 0
    return {
      security,
      keyword,
      headline: `${security.company} ${phrase} ${names} ${this.#random.pick(PLACES)}`,
      published_ms: midnight + this.#random.integer(FIRST_MINUTE * 60, LAST_MINUTE * 60) * 1_000,
    }
  }

  /** @type {(first: Telling) => Omit<Telling, 'source' | 'isRight' | 'isCited'>} */
  #retold({ security, keyword, headline, published_ms }) {
    return {
      security,
      keyword,
      headline: `${headline} ${this.#random.pick(ADDED)}`,
      published_ms: published_ms + this.#random.integer(1, 90) * MINUTE_MS,
    }
  }

  /** @type {(telling: Telling) => Article} */
  #repeat(telling) {
    const later = telling.published_ms + this.#random.integer(5, 600) * MINUTE_MS
    if (this.#random.chance(SENT_AGAIN)) {
      return { arrives_ms: later, content: articleOf(telling) }
    }
    this.#countOf(telling.source).duplicates++
    const headline = this.#random.pick([
      telling.headline,
      telling.headline.toUpperCase(),
      `Breaking: ${telling.headline}`,
      `UPDATE 2 - ${telling.headline}`,
      `${telling.headline} - ${telling.source.name}`,
    ])
    return { arrives_ms: later, content: articleOf({ ...telling, headline, published_ms: later }) }
  }

  /** @type {(event: readonly Telling[]) => void} */
  #countConfirmed(event) {
    const trusted = event.filter(({ source }) => source.tier <= TRUSTED_TIER)
    for (const { source, published_ms } of event) {
      if (source.tier <= TRUSTED_TIER) continue
      const isConfirmed = trusted.some((other) => other.published_ms >= published_ms)
      if (isConfirmed) this.#countOf(source).confirmed++
    }
  }

  /** @type {(source: Source) => Planted} */
  #countOf({ name }) {
    const count = this.planted.get(name)
    if (!count) throw new Error('nobody planted this source')
    return count
  }

  #newWord() {
    return madeUpWord(this.#words++)
  }
}

/**
 * A telling as the tools take it.
 *
 * @param {Pick<Telling, 'source' | 'security' | 'headline' | 'keyword' | 'published_ms'>} telling
 */
export const articleOf = ({ source, security, headline, keyword, published_ms }) => ({
  headline,
  source: source.name,
  symbol: security.symbol,
  published_timestamp: new Date(published_ms).toISOString(),
  catalyst_indicators: { keywords: [keyword], urgency_score: 0.5, market_state: 'regular' },
})
