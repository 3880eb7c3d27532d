/** A small generator of the same numbers every time: https://github.com/bryc/code (mulberry32). */
function randomOf(seed) {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

const SYLLABLES = 'al be cor den el fin gra hol in jo kel lum mer nor or pra qui ran sol tor'.split(
  ' ',
)
const VERBS = 'beats misses raises cuts reports expects launches settles acquires names'.split(' ')
const TOPICS = [
  'quarterly earnings',
  'full-year guidance',
  'a price target',
  'an FDA approval',
  'a merger agreement',
  'its dividend',
  'a class action',
  'a partnership',
  'a new product line',
  'insider purchases',
]
const SOURCES = [
  'Reuters',
  'Bloomberg',
  'CNBC',
  'Yahoo Finance',
  'Seeking Alpha',
  'Benzinga',
  'Zacks',
]
const STATES = ['pre-market', 'regular', 'after-hours', 'closed', 'weekend']
const DAY_MS = 86_400_000
/** Each batch tells of a week of its own; the first lies this far back. */
const WEEKS = 100

/** Every symbol the news is about. */
export const SYMBOLS = Array.from({ length: 200 }, (_, i) => `BN${i}`)

/**
 * A batch as a feed would send it: every tenth story told again by its source (half of them the very
 * same row, half some minutes later), one of fifty told by a second source, the rest unlike each
 * other. `batch` numbers the batches of one database from 0; `salt` keeps databases' news apart.
 */
export function newsBatch({ count, batch, salt = 0 }) {
  const repeats = Math.round(count / 10)
  const fresh = singleStories({ count: count - repeats, batch, salt })
  for (let i = 50; i < fresh.length; i += 50) tellElsewhere(fresh[i], fresh[i - 1])
  const again = fresh.slice(0, repeats).map((told, i) => (i % 2 === 0 ? told : later(told)))
  return { articles: [...fresh, ...again], added: fresh.length, repeats }
}

/** Stories that are all unlike each other. */
export function singleStories({ count, batch, salt }) {
  const random = randomOf(batch * 7_919 + salt * 104_729 + 1)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const word = () =>
    Array.from({ length: 2 + Math.floor(random() * 2) }, () => pick(SYLLABLES)).join('')
  const start = Math.floor(Date.now() / DAY_MS) * DAY_MS - (WEEKS - batch) * 7 * DAY_MS
  return Array.from({ length: count }, (_, i) => {
    const words = Array.from({ length: 6 }, word).join(' ')
    const headline = `${word()} ${word()} ${pick(VERBS)} ${pick(TOPICS)} as ${words}`
    return story({ headline, ms: start + Math.floor(random() * 7 * DAY_MS), i, pick, random })
  })
}

function story({ headline, ms, i, pick, random }) {
  const published = new Date(ms).toISOString()
  return {
    headline,
    source: pick(SOURCES),
    symbol: pick(SYMBOLS),
    published_timestamp: published,
    catalyst_indicators: {
      keywords: [pick(TOPICS), pick(VERBS), pick(VERBS)],
      urgency_score: Math.round(random() * 100) / 100,
      market_state: pick(STATES),
    },
    url: `https://news.example/${published.slice(0, 10)}/${i}`,
  }
}

function tellElsewhere(story, original) {
  story.headline = original.headline
  story.symbol = original.symbol
  story.source = original.source === 'Reuters' ? 'Zacks' : 'Reuters'
  story.published_timestamp = later(original).published_timestamp
}

const later = (story) => ({
  ...story,
  published_timestamp: new Date(Date.parse(story.published_timestamp) + 600_000).toISOString(),
})
