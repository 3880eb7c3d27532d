import { humanBytes } from '../../../lib/bytes.js'
import { inTurns } from '../../../lib/turns.js'
import { blockedBy, locksOf, strongest } from '../locks.js'
import type { ScriptStatement } from '../syntax.js'
import { keyOf, shown } from '../tree.js'
import { RULES, type Rule } from './rules.js'
import { type Hit, type LintContext, ScriptState } from './script-state.js'

/** What the linter says of one statement; only `error` and `block` stand in the way of a run. */
export interface Finding {
  readonly rule: string
  readonly severity: 'error' | 'block' | 'warn' | 'info'
  /** The place of the statement in the script, from 1. */
  readonly statement: number
  readonly line: number
  readonly message: string
  /** Such as `ACCESS EXCLUSIVE on public.trades`. */
  readonly lock: string | null
  /** What waits while the lock is held. */
  readonly blocks: string | null
  /** The safe way to the same end. */
  readonly rewrite: string | null
  readonly docs: string | null
}

/** Findings of one file that are told; the rest is counted. */
const MAX_FINDINGS = 100

/** What the rules find in a script, in its order; others get their turn in between. */
export async function lintScript(
  statements: readonly ScriptStatement[],
  context: LintContext,
): Promise<readonly Finding[]> {
  const script = new ScriptState(context)
  const findings: Finding[] = []
  await inTurns(statements, (statement) => {
    for (const rule of RULES) {
      for (const hit of rule.find(statement, script)) {
        findings.push(findingOf(rule, hit, statement, script))
      }
    }
    script.advance(statement)
  })
  return [...told(findings), ...vainAllowances(context)]
}

const WORST_FIRST = ['error', 'block', 'warn', 'info']

/** The worst of them, in the order of the file. */
function told(findings: readonly Finding[]): readonly Finding[] {
  if (findings.length <= MAX_FINDINGS) return findings
  const worst = findings
    .toSorted((a, b) => WORST_FIRST.indexOf(a.severity) - WORST_FIRST.indexOf(b.severity))
    .slice(0, MAX_FINDINGS)
    .toSorted((a, b) => a.statement - b.statement)
  const more = findings.length - worst.length
  return [...worst, notice('more-findings', `There are ${more} more findings.`)]
}

function findingOf(rule: Rule, hit: Hit, statement: ScriptStatement, script: ScriptState): Finding {
  const { name, severity, what, safeWay, docs = `https://squawkhq.com/docs/${name}` } = rule
  const reason = severity === 'error' ? undefined : script.context.allow.get(name)
  const excuse =
    harmless(rule, hit, script) ??
    (reason === undefined ? null : `Allowed in the file: ${printable(reason)}`)
  const message = `${hit.subject}${sizeOf(hit, script)}: ${what}`
  return {
    rule: name,
    severity: excuse === null ? severity : 'info',
    statement: statement.index,
    line: statement.line,
    message: excuse === null ? message : `${message} ${excuse}`,
    ...lockFor(hit, statement, script),
    rewrite: safeWay,
    docs,
  }
}

/** How large it is, where that is known: a lock is held for as long as the rows take. */
function sizeOf({ on }: Hit, { context }: ScriptState): string {
  const sizes = on.flatMap((relation) => context.tables?.get(keyOf(relation)) ?? [])
  const told = sizes.map(({ rows, bytes }) => `about ${rows} rows, ${humanBytes(bytes)}`)
  return told.length === 0 ? '' : ` (${told.join('; ')})`
}

/** Why it does no harm here; null when it may. */
function harmless({ harmlessOn }: Rule, { on }: Hit, script: ScriptState): string | null {
  if (!harmlessOn || on.length === 0) return null
  if (on.every((relation) => script.isNew(relation))) return 'Harmless here: the table is new.'
  const isSmall = harmlessOn === 'small tables' && on.every((relation) => script.isSmall(relation))
  return isSmall ? 'Harmless here: the table is small.' : null
}

const MAX_REASON = 200
const printable = (reason: string): string => reason.replaceAll(/\p{C}/gu, ' ').slice(0, MAX_REASON)

function lockFor(
  { on }: Hit,
  statement: ScriptStatement,
  script: ScriptState,
): Pick<Finding, 'lock' | 'blocks'> {
  const keys = on.map(keyOf)
  const taken = locksOf(statement)
    .map(({ relation, mode }) => ({ name: script.resolve(relation), mode }))
    .filter(({ name }) => keys.includes(keyOf(name)))
  const mode = strongest(taken.map((lock) => lock.mode))
  const lock = taken.find((candidate) => candidate.mode === mode)
  if (!lock || !mode) return { lock: null, blocks: null }
  return { lock: `${mode} on ${shown(lock.name)}`, blocks: blockedBy(mode) }
}

/** What the file allows in vain: its author would believe that it is allowed. */
const vainAllowances = ({ allow }: LintContext): Finding[] =>
  [...allow.keys()].flatMap((name) => {
    const rule = RULES.find((candidate) => candidate.name === name)
    if (rule && rule.severity !== 'error') return []
    const why = rule ? `${name}, which no file can allow` : `${printable(name)}, which is no rule`
    return [notice('vain-allow', `The file allows ${why}.`)]
  })

const notice = (rule: string, message: string): Finding => ({
  rule,
  severity: 'warn',
  statement: 1,
  line: 1,
  message,
  lock: null,
  blocks: null,
  rewrite: null,
  docs: null,
})
