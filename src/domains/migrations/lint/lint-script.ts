import type { ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import type { Finding, Severity } from './finding.js'
import { blockedBy, locksOf, strongest } from './locks.js'
import { keyOf, shown } from './relation-name.js'
import type { Rule } from './rule.js'
import { RULES } from './rules.js'
import { type Hit, type LintContext, ScriptState } from './script-state.js'

const RULE_NAMES = new Set(RULES.map(({ name }) => name))

/** What our rules find in a script, in its order. */
export function lintScript(
  statements: readonly ScriptStatement[],
  context: LintContext,
): readonly Finding[] {
  const script = new ScriptState(statements, context)
  const findings = statements.flatMap((statement) => {
    const found = RULES.flatMap((rule) =>
      rule.check(statement, script).map((hit) => finding(rule, hit, { statement, script })),
    )
    script.advance(statement)
    return found
  })
  return [...findings, ...unknownRules(context)]
}

interface Place {
  readonly statement: ScriptStatement
  readonly script: ScriptState
}

function finding(rule: Rule, hit: Hit, place: Place): Finding {
  const { severity, note } = judged(rule, hit, place)
  const { lock, blocks } = lockFor(hit, place)
  return {
    rule: rule.name,
    severity,
    destructive: rule.destructive ?? false,
    statement: place.statement.index,
    line: place.statement.line,
    message: `${hit.subject}: ${rule.what}${note}`,
    lock,
    blocks,
    rewrite: rule.safeWay,
    docs: rule.docs,
  }
}

/** A finding on a table where it does no harm, or with a reason in the file, only informs. */
function judged(rule: Rule, hit: Hit, { script }: Place): { severity: Severity; note: string } {
  const { severity, destructive, harmlessOn } = rule
  if (destructive || severity === 'error') return { severity, note: '' }
  const harmless =
    harmlessOn === 'small tables'
      ? hit.on.every((relation) => script.isSmall(relation))
      : hit.on.every((relation) => script.isNew(relation))
  if (harmlessOn && hit.on.length > 0 && harmless) {
    return { severity: 'info', note: ` Harmless here: ${harmlessOn}.` }
  }
  const reason = script.context.allow.get(rule.name)
  if (reason === undefined) return { severity, note: '' }
  return { severity: 'info', note: ` Allowed in the file: ${printable(reason)}` }
}

const MAX_REASON = 200
const printable = (reason: string): string => reason.replaceAll(/\p{C}/gu, ' ').slice(0, MAX_REASON)

function lockFor(hit: Hit, { statement, script }: Place): Pick<Finding, 'lock' | 'blocks'> {
  const keys = hit.on.map(keyOf)
  const taken = locksOf(statement)
    .map(({ relation, mode }) => ({ name: script.resolve(relation), mode }))
    .filter(({ name }) => keys.includes(keyOf(name)))
  const mode = strongest(taken.map((lock) => lock.mode))
  const lock = taken.find((candidate) => candidate.mode === mode)
  if (!lock || !mode) return { lock: null, blocks: null }
  return { lock: `${mode} on ${shown(lock.name)}`, blocks: blockedBy(mode) }
}

/** A mistyped name would leave the author believing that something is allowed. */
const unknownRules = ({ allow }: LintContext): Finding[] =>
  [...allow.keys()]
    .filter((name) => !RULE_NAMES.has(name))
    .map((name) => ({
      rule: 'unknown-rule',
      severity: 'warn',
      destructive: false,
      statement: 1,
      line: 1,
      message: `The file allows ${printable(name)}, which is no rule.`,
      lock: null,
      blocks: null,
      rewrite: 'Allow a rule by the name its finding has.',
      docs: null,
    }))
