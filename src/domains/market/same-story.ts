import { opposedFigures } from './figure.js'
import type { Gist } from './gist.js'
import { AXIS_NAMES, opposedAxis, sideOn } from './polarity.js'

/** Headlines with this share of common terms tell the same story, if they do not contradict. */
const SAME_STORY = 0.6

/** Whether two headlines tell the same: alike, and nothing in one that the other rules out. */
export const isSameStory = (a: Gist, b: Gist): boolean =>
  likeness(a, b) >= SAME_STORY && contradiction(a, b) === null

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
