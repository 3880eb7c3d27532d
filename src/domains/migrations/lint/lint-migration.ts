import { setImmediate } from 'node:timers/promises'
import type { ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { runSquawk } from '../../../platform/squawk/squawk.js'
import type { Finding } from './finding.js'
import { lintStatement, vainAllowances, withReason } from './lint-script.js'
import { RULES } from './rules.js'
import { type LintContext, ScriptState } from './script-state.js'
import { LEFT_OUT, squawkFindings, warning } from './squawk-findings.js'

/** What was found, and by which engines. */
export interface LintReport {
  readonly findings: readonly Finding[]
  readonly engines: readonly ('catalyst-db' | 'squawk')[]
}

/** A script, as text and as what the parser made of it. */
export interface Script {
  readonly sql: string
  readonly statements: readonly ScriptStatement[]
}

const OURS = new Set(RULES.map(({ name }) => name))

/**
 * Judges a script by our rules and, where squawk is installed, by those that only squawk has: of a
 * rule that both have, ours knows the sizes of tables and what the file allows.
 */
export async function lintMigration(
  script: Script,
  context: LintContext,
  squawk = runSquawk,
): Promise<LintReport> {
  const { sql, statements } = script
  const { isTransactional } = context
  const ours = await lintInTurns(statements, context)
  const answer = await squawk({ sql, exclude: LEFT_OUT, isTransactional })
  if (answer.state === 'absent') return { findings: ours, engines: ['catalyst-db'] }
  if (answer.state !== 'read') {
    const unreadable = warning('squawk-unreadable', 'squawk could not read this file.')
    return { findings: [...ours, unreadable], engines: ['catalyst-db'] }
  }
  const theirs = squawkFindings(answer.remarks, statements)
    .filter(({ rule }) => !OURS.has(rule))
    .map((finding) => withReason(finding, context))
  return { findings: inOrder([...ours, ...theirs]), engines: ['catalyst-db', 'squawk'] }
}

/** About 20 ms of statements. */
const TURN = 200

/** As `lintScript`, without holding up everybody for a script of 90,000 statements. */
async function lintInTurns(
  statements: readonly ScriptStatement[],
  context: LintContext,
): Promise<readonly Finding[]> {
  const script = new ScriptState(statements, context)
  const findings: Finding[][] = []
  for (const statement of statements) {
    findings.push(lintStatement(statement, script))
    if (findings.length % TURN === 0) await setImmediate()
  }
  return [...findings.flat(), ...vainAllowances(context)]
}

const inOrder = (findings: readonly Finding[]): Finding[] =>
  findings.toSorted((a, b) => a.statement - b.statement)
