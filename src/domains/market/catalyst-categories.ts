import { CATEGORY_PATTERNS, CATEGORY_STEMS, type CategoryPattern } from './category-patterns.js'
import { collapse, type ReadHeadline, readHeadline } from './headline.js'
import { tellsPurchase } from './purchase.js'

/**
 * Keywords that put a story into a category, besides the category's own name: a keyword is given for its
 * sense, while the same word of a headline may have another. In this order ties between categories of
 * equal weight are decided.
 */
const VOCABULARY = {
  earnings: [
    'eps',
    'earnings per share',
    'quarterly results',
    'quarterly report',
    'quarterly profit',
    'quarterly loss',
    'annual results',
    'full year results',
    'first quarter results',
    'second quarter results',
    'third quarter results',
    'fourth quarter results',
    'q1 results',
    'q2 results',
    'q3 results',
    'q4 results',
    'interim report',
    'beats estimates',
    'misses estimates',
    'tops estimates',
    'beats expectations',
    'misses expectations',
    'profit warning',
  ],
  fda: [
    'food and drug administration',
    'pdufa',
    'new drug application',
    'biologics license application',
    'complete response letter',
    'clinical hold',
    'fast track designation',
    'breakthrough therapy designation',
    'orphan drug designation',
    'emergency use authorization',
    'drug approval',
    '510 k',
  ],
  merger: [
    'mergers',
    'merge',
    'merges',
    'merged',
    'merging',
    'acquisition',
    'acquisitions',
    'acquire',
    'acquires',
    'acquired',
    'acquiring',
    'takeover',
    'buyout',
    'tender offer',
    'go private',
    'hostile bid',
  ],
  analyst: [
    'analysts',
    'upgrade',
    'upgrades',
    'upgraded',
    'downgrade',
    'downgrades',
    'downgraded',
    'price target',
    'price targets',
    'initiates coverage',
    'reiterates',
    'overweight',
    'underweight',
    'outperform',
    'underperform',
  ],
  insider: [
    'insiders',
    'insider buying',
    'insider selling',
    'form 4',
    'ceo buys',
    'ceo sells',
    'director buys',
    'director sells',
  ],
  legal: [
    'lawsuit',
    'lawsuits',
    'sues',
    'sued',
    'class action',
    'settlement',
    'settles',
    'litigation',
    'antitrust',
    'investigation',
    'investigates',
    'subpoena',
    'indicted',
    'verdict',
    'court ruling',
    'fraud',
  ],
  product: [
    'products',
    'launch',
    'launches',
    'launched',
    'unveils',
    'unveiled',
    'introduces',
    'recall',
    'recalls',
    'new model',
  ],
  guidance: [
    'outlook',
    'forecast',
    'forecasts',
    'raises guidance',
    'cuts guidance',
    'lowers guidance',
    'reaffirms',
    'withdraws guidance',
  ],
  partnership: [
    'partnerships',
    'partner',
    'partners',
    'partnering',
    'collaboration',
    'collaborates',
    'joint venture',
    'alliance',
    'teams up',
    'team up',
  ],
  ipo: [
    'ipos',
    'initial public offering',
    'goes public',
    'going public',
    'public debut',
    'direct listing',
  ],
  bankruptcy: [
    'bankrupt',
    'chapter 11',
    'chapter 7',
    'insolvency',
    'insolvent',
    'creditor protection',
    'liquidation',
  ],
  dividend: ['dividends', 'special dividend', 'payout', 'ex dividend'],
} as const

/** What kind of news can move a price. */
export type CatalystType = keyof typeof VOCABULARY

const isCatalystType = (name: string): name is CatalystType => Object.hasOwn(VOCABULARY, name)

/** The categories, in the order that decides ties. */
export const CATALYST_TYPES: readonly CatalystType[] =
  Object.keys(VOCABULARY).filter(isCatalystType)

/** The categories a headline tells and its keywords name. */
export function matchCategories(
  headline: string,
  read: Pick<ReadHeadline, 'whole' | 'text'>,
  keywords: readonly string[],
): Set<CatalystType> {
  const found = new Set<CatalystType>()
  for (const category of categoriesOf(headline, read)) found.add(category)
  for (const keyword of keywords) for (const category of ofKeyword(keyword)) found.add(category)
  return found
}

function categoriesOf(
  headline: string,
  { whole, text }: Pick<ReadHeadline, 'whole' | 'text'>,
): CatalystType[] {
  let possible = 0
  for (const word of text.split(' ')) possible |= possibleBy(word)
  if (possible === 0) return []
  return CATALYST_TYPES.filter(
    (category, i) =>
      (possible & (1 << i)) !== 0 &&
      (isTold(CATEGORY_PATTERNS[category], whole) ||
        (category === 'merger' && tellsPurchase(headline))),
  )
}

/** A hyphen may stand where the expressions have a space: `CHAPTER-11`. */
const isTold = (pattern: CategoryPattern, text: string): boolean =>
  isToldBy(pattern, text) || (text.includes('-') && isToldBy(pattern, text.replaceAll('-', ' ')))

function isToldBy(pattern: CategoryPattern, text: string): boolean {
  if (!pattern.match.test(text)) return false
  return !pattern.except || pattern.match.test(text.replace(pattern.except, ' | '))
}

const STEMS = CATALYST_TYPES.map((category) => CATEGORY_STEMS[category].split(' '))

/** News repeats its words: each is looked into once. */
const possible = new Map<string, number>()
const MAX_KEPT = 20_000
/** Shorter stems are whole words. */
const SHORTEST_PREFIX = 3

/** The categories, a bit for each, that a word makes possible. */
function possibleBy(word: string): number {
  const known = possible.get(word)
  if (known !== undefined) return known
  const begins = (stem: string) =>
    stem.length < SHORTEST_PREFIX ? word === stem : word.startsWith(stem)
  const bits = STEMS.reduce((sum, stems, i) => (stems.some(begins) ? sum | (1 << i) : sum), 0)
  if (possible.size === MAX_KEPT) possible.clear()
  possible.set(word, bits)
  return bits
}

/** The same few hundred keywords come with every feed; each is read once. */
const keywordCategories = new Map<string, ReadonlySet<CatalystType>>()
const MAX_KEYWORDS_KEPT = 5_000

function ofKeyword(keyword: string): ReadonlySet<CatalystType> {
  const known = keywordCategories.get(keyword)
  if (known) return known
  const read = readHeadline(keyword, '')
  const found = new Set([...categoriesOf(keyword, read), ...namedBy(read.whole)])
  if (keywordCategories.size === MAX_KEYWORDS_KEPT) keywordCategories.clear()
  keywordCategories.set(keyword, found)
  return found
}

const namedBy = (keyword: string): CatalystType[] =>
  CATALYST_TYPES.filter((category) => {
    const pattern: CategoryPattern = CATEGORY_PATTERNS[category]
    const words = collapse(pattern.except ? keyword.replace(pattern.except, ' | ') : keyword)
    return [category, ...VOCABULARY[category]].some((name) => ` ${words} `.includes(` ${name} `))
  })
