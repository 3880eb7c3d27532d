import { median } from './measure.mjs'

/** The figure must be this or more. */
export const atLeast = (limit) => ({ text: `>= ${limit}`, holds: (value) => value >= limit })

/** The figure must be this or less. */
export const atMost = (limit) => ({ text: `<= ${limit}`, holds: (value) => value <= limit })

/**
 * One line of the report. `values` has one number per round: a ratio, unless `unit` says what else.
 * Without a goal it is told for information.
 */
export function figure({ name, values, goal = null, unit = 'x', note = '' }) {
  const middle = median(values)
  return {
    name,
    unit,
    median: middle,
    min: Math.min(...values),
    max: Math.max(...values),
    n: values.length,
    goal: goal?.text ?? null,
    met: goal ? goal.holds(middle) : null,
    note,
  }
}

/** What could not be measured, and why. */
export const remark = (name, note) => ({ name, note, n: 0, goal: null, met: null })

/** `name ratio median [min max] n goal ok|missed`, and what the two sides were. */
export function lineOf({ name, unit, median: middle, min, max, n, goal, met, note }) {
  if (n === 0) return `${name}: ${note}`
  const verdict = goal === null ? '' : `  goal ${goal}  ${met ? 'ok' : 'missed'}`
  const span = `${short(middle)} ${unit} [${short(min)} ${short(max)}] n=${n}`
  return `${name.padEnd(44)} ${span.padEnd(34)}${verdict}${note ? `  (${note})` : ''}`
}

/** Three significant digits, and no fewer than the integer has. */
export const short = (value) =>
  Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)))
