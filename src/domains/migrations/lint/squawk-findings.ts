import type { ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import type { SquawkRemark } from '../../../platform/squawk/squawk.js'
import type { Finding } from './finding.js'
import { squawkDocs } from './rule.js'

/** What the runner sees to itself, or what our rules say with more knowledge of the script. */
export const LEFT_OUT = [
  'require-lock-timeout',
  'require-statement-timeout',
  'prefer-robust-stmts',
  'ban-uncommitted-transaction',
  'ban-concurrent-index-creation-in-transaction',
  'ban-truncate-cascade',
]

/** Rules that only squawk has. */
export const SQUAWK_ONLY: ReadonlySet<string> = new Set([
  'ban-drop-not-null',
  'ban-create-domain-with-constraint',
  'ban-alter-domain-with-add-constraint',
  'prefer-repack',
  'unused-ignore',
])

/** Squawk's remarks as findings; each belongs to the statement that its line is in. */
export function squawkFindings(
  remarks: readonly SquawkRemark[],
  statements: readonly ScriptStatement[],
): Finding[] {
  let at = 0
  return remarks
    .toSorted((a, b) => a.line - b.line)
    .map(({ rule, line, message, help }) => {
      while ((statements[at + 1]?.line ?? Number.POSITIVE_INFINITY) <= line) at++
      const statement = statements[at]
      return {
        ...warning(rule, message),
        statement: statement?.index ?? 1,
        line: statement?.line ?? line,
        rewrite: help,
        docs: squawkDocs(rule),
      }
    })
}

/** A finding that only warns, about the script as a whole. */
export const warning = (rule: string, message: string): Finding => ({
  rule,
  severity: 'warn',
  destructive: false,
  statement: 1,
  line: 1,
  message,
  lock: null,
  blocks: null,
  rewrite: null,
  docs: null,
})
