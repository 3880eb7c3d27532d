/** A place in a text as people count it, from 1. */
export interface Place {
  readonly line: number
  /** In characters, which are code points. */
  readonly column: number
}

/** Where the first so many code points of a text end, in UTF-16 units. */
export function unitsOf(text: string, codePoints: number): number {
  let at = 0
  for (let left = codePoints; left > 0 && at < text.length; left--) {
    at += (text.codePointAt(at) ?? 0) > 0xffff ? 2 : 1
  }
  return at
}

/** Line and column of a place that is given in UTF-16 units from 0. */
export function placeOf(text: string, at: number): Place {
  let line = 1
  let start = 0
  for (let next = text.indexOf('\n'); next >= 0 && next < at; next = text.indexOf('\n', start)) {
    line++
    start = next + 1
  }
  let column = 1
  for (let unit = start; unit < at; column++) {
    unit += (text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1
  }
  return { line, column }
}
