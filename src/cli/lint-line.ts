import { oneLine } from '../lib/terminal-text.js'

/** A finding of the linter, as far as a line of text shows it. */
export interface ShownFinding {
  readonly rule: string
  readonly severity: string
  readonly line: number
  readonly message: string
  readonly lock: string | null
  readonly rewrite: string | null
}

/** A finding in one line, with the safe way where there is one. */
export const lintLine = ({ severity, line, rule, message, lock, rewrite }: ShownFinding): string =>
  oneLine(
    [
      `line ${line} ${severity} ${rule}: ${message}`,
      ...(lock === null ? [] : [`Takes ${lock}.`]),
      ...(rewrite === null ? [] : [rewrite]),
    ].join(' '),
  )
