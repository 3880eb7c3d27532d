import { fnv1a } from './fnv.js'
import { isNegation, isTelling, NO_SIDES, type Sides, sidesOf, standsOf } from './polarity.js'

/** What one word adds to what a headline says. */
export interface Term {
  readonly word: string
  /** Of its stem or the side it takes; null for a word that says nothing. */
  readonly hash: number | null
  /** What it is in the place of another word; one that is telling begins with `~`. */
  readonly wording: string
  readonly stands: readonly string[]
  readonly sides: Sides
  /** The time or place it names, such as `quarter 2`. */
  readonly mark: string | null
  /** The number it names, such as 2 for `two`. */
  readonly number: number | null
  readonly isNegation: boolean
}

const setOf = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/))

const EMPTY_WORDS = setOf(`
  a an the of in on at to for by with and or as from into is are was were be been being has have had
  will would could may might can do does did its it his her their this that these those than over after
  amid about more new says say said saying report reports reported reporting reportedly sources source
  s t i u we you he she they inc corp corporation co company companies ltd plc llc group holdings
  today week now just what how why who when which`)

/** The first of a line stands for the others. A Map: `constructor` and `__proto__` are words too. */
const SYNONYMS: ReadonlyMap<string, string> = firstOfEach(`
  stock share shares; estimate estimates expectations expectation consensus views; sales revenue revenues;
  earn earnings results result eps; biggest largest; explos blast; chief ceo executive`)

function firstOfEach(lines: string): ReadonlyMap<string, string> {
  return new Map(
    lines.split(';').flatMap((line) => {
      const words = line.trim().split(/\s+/)
      return words.map((word) => [word, words[0] ?? word] as const)
    }),
  )
}

const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(
  ' ',
)
const DAYS = setOf('monday tuesday wednesday thursday friday saturday sunday')
/** Not `may`, which is mostly a verb, nor `march`. */
const MONTHS = setOf('january february april june july august september october november december')

/** Places that news tells apart, by the names of countries and their people. */
const PLACES: ReadonlyMap<string, string> = firstOfEach(`
  us american; uk british britain england; china chinese beijing; japan japanese tokyo; germany german;
  france french; india indian; russia russian; canada canadian; australia australian aust; brazil brazilian;
  mexico mexican; italy italian; spain spanish; korea korean; taiwan taiwanese; singapore; indonesia indonesian;
  turkey turkish; iran iranian; iraq iraqi; israel israeli; egypt egyptian; syria syrian; pakistan pakistani;
  afghanistan afghan; greece greek; ireland irish; switzerland swiss; sweden swedish; norway norwegian;
  denmark danish; netherlands dutch; poland polish; ukraine ukrainian; argentina argentine; chile chilean;
  venezuela venezuelan; colombia colombian; vietnam vietnamese; thailand thai; malaysia malaysian;
  philippines philippine filipino; nigeria nigerian; kenya kenyan; ghana ghanaian; senegal senegalese; asia asian;
  europe european; africa african`)

/** Endings without which words of one family are alike; the longest that fits is taken. */
const ENDINGS = 'ation ition ment ingly edly ing ion ity ive ian ed ly er or al an e'.split(' ')

/**
 * A light stemmer for headlines: plurals, then one ending, as far as four letters are left. Where it
 * takes two words for one, the other words still have to agree.
 */
function stemOf(word: string): string {
  if (word.length < 4 || /\d/.test(word)) return word
  const single = singular(word)
  const ending = ENDINGS.find((end) => single.endsWith(end) && single.length - end.length >= 4)
  const stem = ending === undefined ? single : single.slice(0, -ending.length)
  return stem.replace(/y$/, 'i').replace(/([bdgmnprt])\1$/, '$1')
}

function singular(word: string): string {
  if (word.endsWith('ies') && word.length > 4) return `${word.slice(0, -3)}y`
  if (/(?:sses|shes|ches|xes)$/.test(word)) return word.slice(0, -2)
  return /[^sui]s$/.test(word) ? word.slice(0, -1) : word
}

/** `up to 5`, `start-up` and `steps down` move nothing. */
const BEFORE_UP = setOf(`
  set step steps stepped stepping back give gives gave shut shuts shutting start follow team teams teamed
  lay mix break breaks broke sign signs ramp ramps wind winds build builds built pick picks scoop snap
  snaps line lines heat heats warm clean light show shows wake speed free take takes turn turns turned
  calm cool scale scales scaled track double bust tie ties run`)

/** A word that says nothing here. */
const silent = (word: string): Term => ({
  word,
  hash: null,
  wording: isTelling(word) ? `~${word}` : word,
  stands: [],
  sides: NO_SIDES,
  mark: null,
  number: null,
  isNegation: false,
})

/** Stands among the words for a number. */
export const FIGURE_TERM = silent('0')

/** What a lower-case word says behind and before others. */
export function termAmong(
  word: string,
  before: string | undefined,
  after: string | undefined,
): Term {
  if (word !== 'up' && word !== 'down') return termOf(word)
  const isPhrase = after === 'to' || (before !== undefined && BEFORE_UP.has(before))
  return isPhrase ? silent(word) : termOf(word)
}

/** News repeats its words: each is looked into once. */
const known = new Map<string, Term>()
const MAX_KNOWN = 20_000

function termOf(word: string): Term {
  const found = known.get(word)
  if (found) return found
  const term = readTerm(word)
  if (known.size === MAX_KNOWN) known.clear()
  known.set(word, term)
  return term
}

function readTerm(word: string): Term {
  if (EMPTY_WORDS.has(word)) return { ...silent(word), mark: markOf(word) }
  const stands = standsOf(word)
  const mark = markOf(word)
  const isTime = mark !== null && !mark.startsWith('place')
  const number = NUMBER_WORDS.indexOf(word)
  const isNumber = number > 1
  const root = isTime ? mark : (SYNONYMS.get(word) ?? stemOf(word))
  // `lower` and `slip` are one word for a movement, though the first can mean a change as well.
  const stand = stands.find((one) => one.startsWith('move')) ?? stands[0]
  return {
    word,
    hash: isNumber ? null : fnv1a(isTime ? mark : (stands[0] ?? root)),
    wording: stand !== undefined ? `~${stand}` : isTime || isTelling(word) ? `~${root}` : root,
    stands,
    sides: sidesOf(stands),
    mark,
    number: isNumber ? number : null,
    isNegation: isNegation(word),
  }
}

const QUARTER = /^(?:q([1-4])|([1-4])q)(?:fy)?(?:\d\d){0,2}$/
const HALF = /^(?:h([12])|([12])h)(?:fy)?(?:\d\d){0,2}$/
const FISCAL_YEAR = /^fy(?:20)?(\d\d)$/

function markOf(word: string): string | null {
  const [, before, after] = QUARTER.exec(word) ?? []
  if (before ?? after) return `quarter ${before ?? after}`
  const half = HALF.exec(word)
  if (half) return `half ${half[1] ?? half[2]}`
  const year = FISCAL_YEAR.exec(word)?.[1]
  if (year !== undefined) return `year ${year}`
  if (DAYS.has(word)) return `day ${word}`
  if (MONTHS.has(word)) return `month ${word}`
  const place = PLACES.get(word)
  return place === undefined ? null : `place ${place}`
}
