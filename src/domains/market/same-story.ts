import { opposedFigures } from './figure.js'
import type { Gist } from './gist.js'
import { AXIS_NAMES, opposedAxis, sideOn } from './polarity.js'

/** Headlines with this share of common terms tell the same story, if they do not contradict. */
const SAME_STORY = 0.6
/** Headlines that change places are no longer than that. */
const MOST_WORDS = 12

/** Whether two headlines tell the same: alike, and nothing in one that the other rules out. */
export const isSameStory = (a: Gist, b: Gist): boolean => {
  if (likeness(a, b) < SAME_STORY || contradiction(a, b) !== null) return false
  const turn = turnOf(a.wording, b.wording)
  return turn === null || (turn !== 'roles' && !isOpposed(turn))
}

/**
 * Whether of two headlines of one story the one can confirm the other. No list knows every opposite, so
 * one word in the place of another is too much, unless it is known to mean the same or is the last one,
 * where verbs do not stand: that costs a confirmation now and then and invents none.
 */
export const canConfirm = (a: Gist, b: Gist): boolean =>
  turnOf(a.wording, b.wording) === null || a.wording.at(-1) !== b.wording.at(-1)

/** One word in the place of another, who does it to whom, or null where more or nothing differs. */
type Turn = readonly [string, string] | 'roles' | null

function turnOf(a: readonly string[], b: readonly string[]): Turn {
  const shorter = Math.min(a.length, b.length)
  let start = 0
  while (start < shorter && a[start] === b[start]) start++
  let end = 0
  while (end < shorter - start && a.at(-1 - end) === b.at(-1 - end)) end++
  const [ofA, ofB] = [a.slice(start, a.length - end), b.slice(start, b.length - end)]
  const [one, other] = [ofA[0], ofB[0]]
  if (ofA.length === 1 && ofB.length === 1 && one !== undefined && other !== undefined) {
    return [one, other]
  }
  return changePlaces(ofA, ofB) ? 'roles' : null
}

/** `x … y` and `y … x`, with the same between them. */
function changePlaces(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length || a.length < 3 || a.length > MOST_WORDS) return false
  for (let first = 1; first < a.length - 1; first++) {
    for (let last = 1; first + last < a.length; last++) {
      const end = a.length - last
      const turned = [...a.slice(end), ...a.slice(first, end), ...a.slice(0, first)]
      if (turned.every((word, i) => word === b[i])) return true
    }
  }
  return false
}

const NEGATING = ['un', 'in', 'im', 'ir', 'dis', 'non', 'mis', 'de', 'anti']

const isOpposed = ([a, b]: readonly [string, string]): boolean =>
  a.startsWith('~') ||
  b.startsWith('~') ||
  NEGATING.some((prefix) => a === prefix + b || b === prefix + a)

/** The share of terms two headlines have in common: |a ∩ b| / |a ∪ b|. */
export function likeness({ terms: a }: Gist, { terms: b }: Gist): number {
  let [i, j, shared] = [0, 0, 0]
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? 0, b[j] ?? 0]
    if (x === y) shared++
    if (x <= y) i++
    if (y <= x) j++
  }
  const all = a.length + b.length - shared
  return all === 0 ? 1 : shared / all
}

/** What two headlines cannot both say, by its kind; null where they can. */
export function contradiction(a: Gist, b: Gist): string | null {
  if (a.isNegated !== b.isNegated) return 'negation'
  if (a.direction * b.direction < 0) return 'direction'
  const axis = opposedAxis(a.sides, b.sides)
  if (axis >= 0) return AXIS_NAMES[axis] ?? null
  return opposedFigures(a.figures, b.figures) ?? opposedMarks(a.marks, b.marks)
}

function opposedMarks(a: readonly string[], b: readonly string[]): string | null {
  if (a.length === 0 || b.length === 0) return null
  for (const mark of a) {
    if (b.includes(mark)) continue
    const kind = mark.slice(0, mark.indexOf(' ') + 1)
    if (b.some((other) => other.startsWith(kind) && !a.includes(other))) return kind.trim()
  }
  return null
}

/** What a headline says of one kind, as contradictions name it; only the same text is surely no other. */
export function statementOf(gist: Gist, kind: string): string {
  if (kind === 'negation') return String(gist.isNegated)
  if (kind === 'direction') return String(gist.direction)
  const axis = AXIS_NAMES.indexOf(kind)
  if (axis >= 0) return String(sideOn(gist.sides, axis))
  const figures = gist.figures.filter((figure) => figure.kind === kind).map(({ value }) => value)
  const marks = gist.marks.filter((mark) => mark.startsWith(`${kind} `))
  return [...new Set([...figures, ...marks])].sort().join(';')
}
