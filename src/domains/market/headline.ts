import { hash } from 'node:crypto'
import { spellSigns } from './headline-signs.js'

/** Zero-width and other invisible characters would make equal headlines look different. */
const INVISIBLE = /[\p{Cf}\p{Variation_Selector}]/gu
/** A currency is one too, but for the dollar, which goes without saying. */
const WORDS = /[\p{L}\p{M}\p{N}]+|(?!\$)\p{Sc}/gu
/** Most headlines are plain ASCII, for which the same rules need no Unicode tables. */
const ASCII = /^[\x20-\x7e]*$/
const ASCII_WORDS = /[a-z0-9]+/g
const PREFIX = /^(?:update ?\d* ?[-–—:]|breaking(?: news)? ?[:–—-]) ?/u
const SPACES = /\s+/g
const ASCII_SPACES = / {2,}/g
const SEPARATORS = [' - ', ' – ', ' — ', ' | ']

/** Outlets whose name other outlets put behind a headline, besides the article's own source. */
const OUTLETS: ReadonlySet<string> = new Set([
  'associated press',
  'ap',
  'ap news',
  'barron s',
  'benzinga',
  'bloomberg',
  'bloomberg com',
  'bloomberg news',
  'business wire',
  'cnbc',
  'dow jones',
  'dow jones newswires',
  'financial times',
  'forbes',
  'ft',
  'globenewswire',
  'investing com',
  'investor s business daily',
  'marketwatch',
  'motley fool',
  'pr newswire',
  'reuters',
  'reuters com',
  'seeking alpha',
  'stocktwits',
  'the motley fool',
  'the wall street journal',
  'thestreet',
  'tipranks',
  'wall street journal',
  'wsj',
  'yahoo finance',
  'zacks',
  'zacks investment research',
])

/**
 * Lower-casing can undo NFKC, so it is applied on both sides. Runs of spaces go first: no expression
 * below may cost more than the length of a hostile headline.
 */
function fold(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase().replace(ASCII_SPACES, ' ').trim()
  const folded = text.normalize('NFKC').toLowerCase().normalize('NFKC')
  return folded.replace(INVISIBLE, '').replace(SPACES, ' ').trim()
}

/** The words of a text, lower case, one space between them; signs are words, punctuation is dropped. */
export const collapse = (text: string): string => wordsOf(spellSigns(fold(text)))

/** A text without a single word, such as `???`, stands for itself rather than for every other one. */
const wordsOf = (spelled: string): string =>
  spelled.match(ASCII.test(spelled) ? ASCII_WORDS : WORDS)?.join(' ') ?? spelled

/** A headline as stories are compared and as categories are looked for. */
export interface ReadHeadline {
  readonly norm: string
  /** Folded, signs spelled out, punctuation kept; what the norm drops is dropped here too. */
  readonly body: string
  /** Folded like the body, with what the norm drops. */
  readonly whole: string
  /** Every word of the whole. */
  readonly text: string
}

/**
 * The form in which two headlines are the same story: NFKC, lower case, signs spelled out, spaces and
 * other punctuation collapsed, without `update N -`, `breaking:` and a trailing ` - Source`. The tail is dropped only
 * when it names the article's source or a known outlet: ` - Strong Buy` is part of a story.
 */
export const normalizeHeadline = (headline: string, source: string): string =>
  readHeadline(headline, source).norm

/** All forms of a headline; norm and text differ only where the norm drops a tail. */
export function readHeadline(headline: string, source: string): ReadHeadline {
  const whole = spellSigns(dropPrefixes(fold(headline)))
  const text = wordsOf(whole)
  const end = lastSeparator(whole)
  const tail = end < 1 ? '' : wordsOf(whole.slice(end + 3))
  if (tail === '' || !(OUTLETS.has(tail) || tail === collapse(source)))
    return { norm: text, body: whole, whole, text }
  const body = whole.slice(0, end)
  return { norm: wordsOf(body), body, whole, text }
}

/** The folded body of a stored headline: with the tail, unless its norm is without. */
export function bodyOf(headline: string, norm: string): string {
  const whole = spellSigns(dropPrefixes(fold(headline)))
  return wordsOf(whole) === norm ? whole : whole.slice(0, lastSeparator(whole))
}

function lastSeparator(text: string): number {
  let end = -1
  for (const separator of SEPARATORS) end = Math.max(end, text.lastIndexOf(separator))
  return end
}

function dropPrefixes(folded: string): string {
  const rest = folded.replace(PREFIX, '')
  if (rest === folded || rest.trim() === '') return folded
  return dropPrefixes(rest)
}

/**
 * `nws_` and 32 hexadecimal digits of the sha256 of the norm, the source and the instant. A norm has
 * no line break and the others are numbers, so no two different triples are hashed as one text.
 */
export const newsId = (norm: string, sourceId: number, publishedMs: number): string =>
  `nws_${hash('sha256', `${norm}\n${sourceId}\n${publishedMs}`).slice(0, 32)}`
