import type { Term } from './terms.js'

/** Where a story is expected to move the price; 0 where that is not sure. */
export type Direction = -1 | 0 | 1

const setOf = (text: string): ReadonlySet<string> => new Set(text.split(' '))

/** Axes whose sides say it by themselves; opening, hiring or buying do not. */
const DIRECTED = setOf('result move verdict contest rating tone')
/** Good to have; whether it grows is said by another word, which then counts alone. */
const WEAK = 'earned'

/** News that is bad or good in itself. */
const BAD = setOf(
  'bankruptcy bankrupt insolvency fraud recall recalls recalled layoffs default defaults delisting delisted subpoena breach hack hacked lawsuit sues sued probe probes investigation scandal warning warns selloff',
)
const GOOD = setOf('buyback buybacks breakthrough')

/** It is good when these shrink. */
const BURDENS = setOf('loss losses debt cost costs expense expenses unemployment outflows')
const NARROWER = setOf('narrow narrows narrowed narrowing shrink shrinks')
const WIDER = setOf('widen widens widened widening')
const TELLING = new Set([...BAD, ...GOOD, ...NARROWER, ...WIDER])
/** Raising or cutting one of these is good or bad; of jobs, rates or prices that is not sure. */
const ASSETS = setOf(
  'guidance outlook forecast forecasts dividend dividends payout target targets estimates estimate expectations profit sales view rating buyback',
)
const BIDS = setOf('offer offers bid bids takeover proposal approach')
const MILESTONES = setOf('record week month year time')

/** How far a negation, and an object of a verb, may lie away. */
const REACH = 4

/**
 * Where a story is expected to move the price: the direction of its words where they agree, else 0. A
 * negation turns a good word into a bad one (`fails to win approval`); what it makes of a bad one is not
 * sure. The lexicon is that of the axes (`polarity.ts`, which names its source) and the lists above.
 */
export function expectedDirection(words: readonly Term[]): Direction {
  const seen = new Set<Direction>()
  let weak: Direction = 0
  let negatedUntil = -1
  for (let i = 0; i < words.length; i++) {
    const word = words[i]
    if (!word) continue
    if (word.isNegation) negatedUntil = i + REACH
    if (word.stands.length === 0 && !TELLING.has(word.word)) continue
    const side = sideAt(words, i)
    if (side !== 0 && i <= negatedUntil && !word.isNegation) {
      if (side < 0) return 0
      seen.add(-1)
    } else if (side !== 0) seen.add(side)
    else weak ||= signOf(word.stands, (axis) => axis === WEAK)
  }
  if (seen.size > 1) return 0
  return [...seen][0] ?? weak
}

function sideAt(words: readonly Term[], i: number): Direction {
  const { word = '', stands = [] } = words[i] ?? {}
  if (BAD.has(word)) return -1
  if (GOOD.has(word)) return 1
  const [before, after] = [words[i - 1]?.word ?? '', words[i + 1]?.word ?? '']
  if (BURDENS.has(before) || BURDENS.has(after)) {
    if (NARROWER.has(word)) return 1
    if (WIDER.has(word)) return -1
  }
  if (stands.length === 0) return 0
  const move = signOf(stands, (axis) => axis === 'move')
  if (move !== 0 && BURDENS.has(before)) return move > 0 ? -1 : 1
  const change = signOf(stands, (axis) => axis === 'change')
  if (change !== 0 && isNearAsset(words, i)) return change
  const level = signOf(stands, (axis) => axis === 'level')
  if (level !== 0 && MILESTONES.has(before)) return level
  const trade = signOf(stands, (axis) => axis === 'trade')
  if (trade !== 0 && (after === 'rating' || ['strong', 'rated', 'at'].includes(before)))
    return trade
  const side = signOf(stands, (axis) => DIRECTED.has(axis))
  return side !== 0 && isAboutBid(words, stands) ? 0 : side
}

/** What a rejected or approved offer does to the price is not sure. */
const isAboutBid = (words: readonly Term[], stands: readonly string[]): boolean =>
  stands.some((stand) => stand.startsWith('verdict')) && words.some(({ word }) => BIDS.has(word))

const isNearAsset = (words: readonly Term[], i: number): boolean =>
  words.slice(Math.max(0, i - 2), i + REACH + 1).some(({ word }) => ASSETS.has(word))

function signOf(stands: readonly string[], isWanted: (axis: string) => boolean): Direction {
  for (const stand of stands) {
    if (!isWanted(stand.slice(0, -1))) continue
    if (stand.endsWith('+')) return 1
    if (stand.endsWith('-')) return -1
  }
  return 0
}
