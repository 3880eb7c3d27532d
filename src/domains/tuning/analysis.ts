import type { Caller } from '../../lib/caller.js'
import type { Judged, QueryService } from '../explore/query.service.js'
import { type TableDetails, tableDetails } from './advice.sql.js'
import { advise, type IndexAdvice, statementOf } from './index-advice.js'
import { candidatesFor } from './index-candidates.js'
import { figure, nodesOf, type Plan, shownNumber, textOf } from './plan.js'
import { findingsOf, type PlanFinding } from './plan-rules.js'

/** What became of the look at one statement. */
export interface Analysis {
  readonly execution_plan: Plan
  readonly suggestions: string[]
  readonly estimated_improvement: string
  readonly findings: PlanFinding[]
  readonly indexes: IndexAdvice[]
  readonly statement_class: string
}

/** Looks at the plan of a judged statement, having it run where that is asked for. */
export async function analyse(
  { session, sent, values, query }: Judged,
  isRun: boolean,
  queries: Pick<QueryService, 'running'>,
  { signal }: Caller,
): Promise<Analysis> {
  const isOpen = query.uses.parameters > values.length
  const given = isOpen ? null : values
  const explain = (options: string): Promise<Plan> =>
    // EXPLAIN (FORMAT JSON) writes plans only.
    queries.running(
      () => session.explain(sent.text, { values: given, options }, signal) as Promise<Plan>,
    )
  const plan = await explain(
    isRun && !isOpen ? ', verbose, settings, buffers, analyze' : ', verbose, settings',
  )
  const tables = await session.many(tableDetails(tablesOf(plan)))
  const facts = new Map(
    tables.map((one) => [one.name, { ...one, name: `${one.schema}.${one.name}` }]),
  )
  const findings = findingsOf(plan, facts)
  const candidates = await candidatesFor(plan, tables)
  const costed = isRun ? await explain(', verbose') : plan
  const indexes = await advise(session, costed, candidates, () => explain(', verbose'))
  return {
    execution_plan: plan,
    suggestions: suggestionsOf(plan, findings, indexes, tables),
    estimated_improvement: improvement(plan, findings, indexes),
    findings,
    indexes,
    statement_class: isOpen ? 'read, planned for any parameters' : 'read',
  }
}

function tablesOf(plan: Plan): { schema: string; name: string }[] {
  const named = nodesOf(plan).flatMap(({ node }) =>
    node['Relation Name']
      ? [{ schema: textOf(node, 'Schema'), name: textOf(node, 'Relation Name') }]
      : [],
  )
  return named.filter(
    (one, index) =>
      named.findIndex(({ schema, name }) => schema === one.schema && name === one.name) === index,
  )
}

function suggestionsOf(
  plan: Plan,
  findings: readonly PlanFinding[],
  indexes: readonly IndexAdvice[],
  tables: readonly TableDetails[],
): string[] {
  const made = indexes.map(
    ({ create_sql, why, replaces }) =>
      `${statementOf(create_sql)} It ${why}${replaces.length > 0 ? `, and makes ${replaces.join(', ')} superfluous` : ''}. Write it with create_migration.`,
  )
  const said = findings
    .filter(
      ({ rule }) => indexes.length === 0 || !/^(seq_scan_\w+|index_filter|limit_walk)$/.test(rule),
    )
    .map(({ node, evidence, advice }) => `${node}: ${evidence}. ${advice}`)
  const none =
    indexes.length === 0 && !said.some((one) => one.includes('No index will help'))
      ? [noIndex(plan, tables)]
      : []
  return [...made, ...said, ...none]
}

/** Why there is no index to propose. */
function noIndex(plan: Plan, tables: readonly TableDetails[]): string {
  if (tables.length === 0) return 'No index will help, because the query reads no table.'
  const scans = nodesOf(plan).filter(({ node }) => node['Relation Name'])
  if (tables.every(({ pages }) => pages < 20)) {
    return 'No index will help, because its tables are so small that reading them whole is fastest.'
  }
  if (scans.every(({ node }) => /Index|Bitmap/.test(node['Node Type']))) {
    return 'No index will help, because every table is read through an index that fits already.'
  }
  const whole = scans.find(({ node }) => /Seq Scan/.test(node['Node Type']) && !node.Filter)
  if (whole) {
    return `No index will help, because every row of ${textOf(whole.node, 'Relation Name')} is needed: filter it, or keep a summary.`
  }
  return 'No index will help, because its conditions leave too many rows, or are of a kind that no index serves.'
}

function improvement(
  plan: Plan,
  findings: readonly PlanFinding[],
  indexes: readonly IndexAdvice[],
): string {
  const [first] = indexes
  const last = indexes.at(-1)
  if (first && last) {
    const by = first.method === 'hypopg' ? 'by hypopg' : 'estimated from statistics'
    return `cost ${shownNumber(first.cost_before)} -> ${shownNumber(last.cost_after)} ${by}`
  }
  const scan = findings.find(({ rule }) => rule === 'seq_scan_filter' || rule === 'index_filter')
  if (scan) return `large: ${scan.evidence}`
  if (findings.length > 0) return `unknown: ${findings[0]?.evidence}`
  return `none: no rule finds fault with a plan of cost ${shownNumber(figure(plan.Plan, 'Total Cost'))}`
}
