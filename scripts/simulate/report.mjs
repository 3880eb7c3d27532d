// @ts-check

/** @typedef {import('./year.mjs').Result} Result */

/**
 * Whether everything that must hold held.
 *
 * @param {Result} result
 */
export const isSound = ({ checks }) => checks.every(({ broken }) => broken === 0)

/**
 * A simulated year for people.
 *
 * @param {Result} result
 * @param {{ seed: number }} options
 */
export function describe(result, { seed }) {
  const { counts, seconds } = result
  const calls = Object.values(result.calls).reduce((sum, usage) => sum + usage.calls, 0)
  const all = seconds.all ?? 0
  return [
    `A simulated year, seed ${seed}`,
    '',
    ...table(
      Object.entries(counts).map(([name, count]) => [name.replaceAll('_', ' '), String(count)]),
    ),
    '',
    `Sources: what was planted, and what was learned (names only give tiers)`,
    ...sourceLines(result),
    '',
    'Must always hold',
    ...checkLines(result),
    '',
    `${all.toFixed(0)} s, ${calls} calls, ${(calls / all).toFixed(0)} calls a second`,
    ...table([
      ['', 'seconds'],
      ...Object.entries(seconds).map(([name, spent]) => [name, spent.toFixed(1)]),
    ]),
    '',
    ...callLines(result),
  ].join('\n')
}

/** @type {(result: Result) => string[]} */
const sourceLines = ({ sources }) =>
  table([
    ['source', 'tier', 'planted', 'learned', 'low', 'high', 'results', ''],
    ...sources
      .toSorted((a, b) => a.planted - b.planted)
      .map((source) => [
        source.name,
        String(source.tier),
        source.planted.toFixed(3),
        source.reliability.toFixed(3),
        source.ci_low.toFixed(3),
        source.ci_high.toFixed(3),
        source.n_eff.toFixed(0),
        source.isInside ? 'inside' : 'OUTSIDE',
      ]),
  ])

/** @type {(result: Result) => string[]} */
const checkLines = ({ checks }) => [
  ...table(
    checks.map(({ name, cases, broken }) => [
      name,
      String(cases),
      broken === 0 ? 'held' : `BROKEN ${broken} times`,
    ]),
  ),
  ...checks.flatMap(({ name, examples }) => examples.map((example) => `  ${name}: ${example}`)),
]

/** @type {(result: Result) => string[]} */
const callLines = ({ calls }) =>
  table([
    ['call', 'calls', 'mean ms', 'slowest ms'],
    ...Object.entries(calls).map(([name, { calls: count, ms, slowest_ms }]) => [
      name,
      String(count),
      (ms / count).toFixed(1),
      slowest_ms.toFixed(0),
    ]),
  ])

/** @type {(rows: readonly (readonly string[])[]) => string[]} */
function table(rows) {
  const columns = Math.max(...rows.map((row) => row.length))
  const widths = Array.from({ length: columns }, (_, n) =>
    Math.max(...rows.map((row) => row[n]?.length ?? 0)),
  )
  return rows.map((row) => {
    const cells = row.map((cell, n) =>
      n === 0 ? cell.padEnd(widths[n] ?? 0) : cell.padStart(widths[n] ?? 0),
    )
    return `  ${cells.join('  ').trimEnd()}`
  })
}
