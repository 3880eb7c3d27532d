import { collapse } from './headline.js'

/**
 * The words that put a story into a category, besides the category's own name. In this order ties
 * between categories of equal weight are decided.
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
    'm a',
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

interface Phrase {
  readonly padded: string
  readonly category: CatalystType
}

/** Phrases by their first word, so that a text is looked up word by word instead of phrase by phrase. */
const PHRASES: ReadonlyMap<string, readonly Phrase[]> = byFirstWord()

function byFirstWord(): Map<string, Phrase[]> {
  const phrases = new Map<string, Phrase[]>()
  for (const category of CATALYST_TYPES) {
    for (const words of [category, ...VOCABULARY[category]]) {
      const first = words.split(' ', 1)[0] ?? words
      phrases.set(first, [...(phrases.get(first) ?? []), { padded: ` ${words} `, category }])
    }
  }
  return phrases
}

/** The categories named by whole words of a collapsed headline or of its keywords. */
export function matchCategories(headline: string, keywords: readonly string[]): Set<CatalystType> {
  const found = new Set<CatalystType>()
  collectCategories(headline, found)
  for (const keyword of keywords) for (const category of ofKeyword(keyword)) found.add(category)
  return found
}

/** The same few hundred keywords come with every feed; each is read once. */
const keywordCategories = new Map<string, ReadonlySet<CatalystType>>()
const MAX_KEYWORDS_KEPT = 5_000

function ofKeyword(keyword: string): ReadonlySet<CatalystType> {
  const known = keywordCategories.get(keyword)
  if (known) return known
  const found = new Set<CatalystType>()
  collectCategories(collapse(keyword), found)
  if (keywordCategories.size === MAX_KEYWORDS_KEPT) keywordCategories.clear()
  keywordCategories.set(keyword, found)
  return found
}

function collectCategories(collapsed: string, found: Set<CatalystType>): void {
  for (const word of collapsed.split(' ')) {
    const phrases = PHRASES.get(word)
    if (phrases === undefined) continue
    for (const { padded, category } of phrases) {
      if (` ${collapsed} `.includes(padded)) found.add(category)
    }
  }
}
