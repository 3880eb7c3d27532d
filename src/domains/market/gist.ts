import { type Direction, expectedDirection } from './expected-direction.js'
import {
  type Figure,
  figureOf,
  isCurrency,
  unitOf,
  type WrittenFigure,
  writtenFigure,
} from './figure.js'
import { fnv1a } from './fnv.js'
import type { Sides } from './polarity.js'
import { FIGURE_TERM, type Term, termAmong } from './terms.js'

/** What a headline says, apart from how it says it. */
export interface Gist {
  /** Hashes of its terms, ascending. */
  readonly terms: readonly number[]
  /**
   * Its words one after the other, without those that only join others; a number says only its unit.
   * What tells something else than any other word in its place begins with `~`.
   */
  readonly wording: readonly string[]
  readonly isNegated: boolean
  readonly sides: Sides
  readonly figures: readonly Figure[]
  /** Quarters, years, days, months and places, such as `quarter 2`. */
  readonly marks: readonly string[]
  readonly direction: Direction
}

/** A word, or a number as it is written. */
type Token = string | WrittenFigure

const WORD = /[\p{L}\p{M}\p{N}]+(?:'t(?!\p{L}))?/gu
const ASCII_WORD = /^[a-z]+$/
const EDGES = /^[^\p{L}\p{N}\p{Sc}.]+|[^\p{L}\p{N}%\p{Sc}]+$/gu
const ACRONYM = /^\p{L}(?:\.\p{L})+$/u

/** Cuts a folded headline into words and numbers; `10-12%` are two numbers, `$5` is one token. */
function tokensOf(body: string): Token[] {
  const tokens: Token[] = []
  for (const raw of body.split(' ')) {
    if (ASCII_WORD.test(raw)) tokens.push(raw)
    else for (const part of partsOf(raw)) tokens.push(part)
  }
  return tokens
}

function partsOf(raw: string): Token[] {
  const text = raw.replace(EDGES, '').replaceAll('’', "'")
  if (text === '') return []
  if (ACRONYM.test(text)) return [text.replaceAll('.', '')]
  if (isCurrency(text)) return [text]
  const figure = writtenFigure(text)
  if (figure) return [figure]
  const parts = text.split(/[-/\u2010-\u2015]/)
  if (parts.length > 1) return parts.flatMap(partsOf)
  return (text.match(WORD) ?? []).map((word) => word.replace("'", ''))
}

const YEAR = /^(?:19|20)\d\d$/
const ORDINALS: readonly string[] = [
  'first',
  'second',
  'third',
  'fourth',
  '1st',
  '2nd',
  '3rd',
  '4th',
]

/** What two tellings may put differently anywhere; `for`, `before` or `over` they may not. */
const JOINTS: ReadonlySet<string> = new Set(
  `a an the of in on at to from into with by and as is are was were be been being has have had will would
  could may might can do does did its it his her their this that these those s say says said saying
  report reports reported reportedly source sources inc corp corporation co company companies ltd plc llc
  group holdings today now`.split(/\s+/),
)

/** Collects what a headline says, token by token. */
class Reading {
  readonly words: Term[] = []
  readonly hashes: number[] = []
  readonly wording: string[] = []
  readonly figures: Figure[] = []
  readonly marks: string[] = []
  #first = 0
  #rest = 0
  #isNegated = false
  readonly #body: string
  readonly #tokens: readonly Token[]

  constructor(body: string) {
    this.#body = body
    this.#tokens = tokensOf(body)
  }

  read(): Gist {
    for (let i = 0; i < this.#tokens.length; i++) {
      const token = this.#tokens[i] ?? ''
      if (typeof token === 'string') this.#word(token, i)
      else this.#number(token, i)
    }
    if (this.hashes.length === 0) this.hashes.push(fnv1a(this.#body))
    return {
      terms: distinct(this.hashes),
      wording: this.wording,
      isNegated: this.#isNegated,
      sides: { first: this.#first, rest: this.#rest },
      figures: this.figures,
      marks: this.marks,
      direction: expectedDirection(this.words),
    }
  }

  #word(word: string, i: number): void {
    if (this.#isTime(word, i) || this.#isUnit(word, i)) return
    const term = termAmong(word, this.#wordAt(i - 1), this.#wordAt(i + 1))
    this.words.push(term)
    this.#first |= term.sides.first
    this.#rest |= term.sides.rest
    this.#isNegated ||= term.isNegation
    if (term.mark !== null) this.marks.push(term.mark)
    if (term.number !== null) this.#figure({ kind: 'n', value: term.number, tolerance: 0.5 })
    if (term.hash !== null) this.hashes.push(term.hash)
    if (term.number === null && !JOINTS.has(word)) this.wording.push(term.wording)
  }

  /** `first quarter`, in words of its own. */
  #isTime(word: string, i: number): boolean {
    if (word === 'quarter') {
      const ordinal = ORDINALS.indexOf(this.#wordAt(i - 1) ?? '')
      if (ordinal >= 0) this.#time('quarter', String((ordinal % 4) + 1))
      return ordinal >= 0
    }
    return this.#wordAt(i + 1) === 'quarter' && ORDINALS.includes(word)
  }

  #isUnit(word: string, i: number): boolean {
    const before = this.#tokens[i - 1]
    if (typeof before === 'string' && unitOf(before) === undefined) return false
    return before !== undefined && unitOf(word) !== undefined
  }

  #time(kind: string, value: string): void {
    this.marks.push(`${kind} ${value}`)
    this.hashes.push(fnv1a(`${kind} ${value}`))
    this.wording.push(`~${kind} ${value}`)
  }

  #number(written: WrittenFigure, i: number): void {
    const signAt = isCurrency(this.#wordAt(i - 1) ?? '') ? i - 2 : i - 1
    const isNegative = this.#wordAt(signAt) === 'minus'
    const front = this.#wordAt(isNegative && signAt === i - 1 ? i - 2 : i - 1) ?? ''
    const isMoney = written.currency !== '' || isCurrency(front)
    const next = unitOf(this.#wordAt(i + 1) ?? '')
    if (YEAR.test(written.digits) && !isMoney && !written.unit && !next) {
      this.#time('year', written.digits.slice(2))
      return
    }
    // `10-12%`: the unit of the last one is that of the first.
    const following = this.#tokens[i + 1]
    const shared = typeof following === 'object' && !written.unit ? following.unit : undefined
    const second = next && unitOf(this.#wordAt(i + 2) ?? '')
    this.words.push(FIGURE_TERM)
    this.#figure(
      figureOf(written.digits, isMoney, [written.unit ?? shared, next, second], isNegative),
      written.currency === 'us$' ? '$' : written.currency,
    )
  }

  #figure(figure: Figure, currency = ''): void {
    this.figures.push(figure)
    this.hashes.push(fnv1a(String(figure.value)))
    this.wording.push(`~${figure.kind} ${currency}`)
  }

  #wordAt(i: number): string | undefined {
    const token = this.#tokens[i]
    return typeof token === 'string' ? token : undefined
  }
}

function distinct(hashes: number[]): number[] {
  const sorted = hashes.sort((a, b) => a - b)
  return sorted.filter((hash, i) => hash !== sorted[i - 1])
}

/** Reads a folded headline. */
export const gistOf = (body: string): Gist => new Reading(body).read()
