// @ts-check

/** @typedef {{ readonly passed: number, readonly failed: number }} Count */

/**
 * @typedef {object} VitestReport what the JSON reporter of vitest writes, as far as it is read here
 * @property {number} numPassedTests
 * @property {number} numFailedTests
 */

/**
 * One step that is not a test run counts as one test.
 *
 * @param {number} exitCode
 * @returns {Count}
 */
export const countStep = (exitCode) =>
  exitCode === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }

/**
 * A run that ended badly counts at least one failure, also when no test is to blame: a file that
 * cannot be loaded, an error outside every test, no report at all, or no test at all.
 *
 * @param {VitestReport | null} report
 * @param {number} exitCode
 * @returns {Count}
 */
export function countTests(report, exitCode) {
  const passed = report?.numPassedTests ?? 0
  const failed = report?.numFailedTests ?? 0
  const isBad = exitCode !== 0 || passed + failed === 0
  return { passed, failed: isBad ? Math.max(failed, 1) : failed }
}

/** @typedef {{ readonly name: string, readonly startTime: number, readonly endTime: number }} FileRun milliseconds */

/**
 * The files that took longest, longest first, a line each: seconds and path.
 *
 * @param {{ readonly testResults: readonly FileRun[] }} report
 * @param {string} root without which paths are shown
 * @returns {string[]}
 */
export const slowest = ({ testResults }, root) =>
  testResults
    .map(({ name, startTime, endTime }) => ({ name, seconds: (endTime - startTime) / 1_000 }))
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, 10)
    .map(({ name, seconds }) => `${seconds.toFixed(1).padStart(7)} s  ${name.replace(root, '')}`)

/**
 * The last line of a check, in the one form that is read by machines.
 *
 * @param {readonly Count[]} counts
 * @returns {string}
 */
export function countLine(counts) {
  const passed = counts.reduce((sum, count) => sum + count.passed, 0)
  const failed = counts.reduce((sum, count) => sum + count.failed, 0)
  return `${passed} passed, ${failed} failed`
}
