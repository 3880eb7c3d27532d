import type { ReaderSession } from '../../platform/postgres/reader/reader-session.js'
import { forget, hypopgSchema, imagine } from './advice.sql.js'
import type { Candidate } from './index-candidates.js'
import { figure, type Plan, shownNumber } from './plan.js'

/** An index that is proposed, with the texts for `create_migration`. */
export interface IndexAdvice {
  readonly create_sql: string
  readonly drop_sql: string
  readonly why: string
  /** Indexes that it makes superfluous. */
  readonly replaces: string[]
  readonly method: 'hypopg' | 'estimate' | 'trial'
  readonly cost_before: number
  readonly cost_after: number
  /** Milliseconds of the statement, where it was tried. */
  readonly ms_before: number | null
  readonly ms_after: number | null
  readonly size_bytes: number
  readonly write_overhead: string
}

/** How the plan of the statement is asked for again. */
export type Explain = () => Promise<Plan>

/** What an index must save to be worth its writes. */
const WORTH = 0.7
/** More than so many for one statement cost more than they give. */
const MOST = 3

/** Default of PostgreSQL for one page read in no order, and for one row of an index and of a table. */
const PAGE_COST = 4
const ROW_COST = 0.015
/** Pages from the root of a b-tree to a leaf, mostly in memory. */
const DESCENT_COST = 0.5
const PAGE_BYTES = 8_192

/**
 * Proposes indexes that the planner takes: where hypopg is there it is asked with each candidate, else its
 * formulas are applied to what it expects of the scan.
 */
export async function advise(
  session: ReaderSession,
  plan: Plan,
  candidates: readonly Candidate[],
  explain: Explain,
): Promise<IndexAdvice[]> {
  const [hypopg] = await session.many(hypopgSchema())
  const before = figure(plan.Plan, 'Total Cost')
  if (!hypopg) return estimated(before, candidates)
  // It knows no GIN.
  const [known, others] = [
    candidates.filter(isImaginable),
    candidates.filter((one) => !isImaginable(one)),
  ]
  const made = await imagined(session, hypopg.schema, { before, candidates: known, explain })
  return made.length > 0 ? made : estimated(before, others)
}

const isImaginable = ({ method }: Candidate): boolean => method === 'btree'

interface Trial {
  readonly before: number
  readonly candidates: readonly Candidate[]
  readonly explain: Explain
}

/** The best first, and a further one only if the plan gets cheaper with both. */
async function imagined(
  session: ReaderSession,
  schema: string,
  { before, candidates, explain }: Trial,
): Promise<IndexAdvice[]> {
  const taken: IndexAdvice[] = []
  const kept: number[] = []
  let current = before
  let open = [...candidates]
  while (open.length > 0 && taken.length < MOST) {
    const tried = []
    for (const candidate of open) {
      const [made] = await session.many(imagine(schema, bareSql(candidate)))
      if (!made) continue
      const plan = await explain()
      const isUsed = JSON.stringify(plan).includes(JSON.stringify(made.name))
      tried.push({ candidate, cost: figure(plan.Plan, 'Total Cost'), bytes: made.bytes, isUsed })
      await session.many(forget(schema, made.id))
    }
    const [best] = tried.filter(({ isUsed }) => isUsed).sort((a, b) => a.cost - b.cost)
    if (!best || best.cost > current * WORTH) break
    taken.push(adviceOf(best.candidate, 'hypopg', current, best.cost, best.bytes))
    const [stays] = await session.many(imagine(schema, bareSql(best.candidate)))
    if (stays) kept.push(stays.id)
    current = best.cost
    open = open.filter((one) => one !== best.candidate)
  }
  for (const id of kept) await session.many(forget(schema, id))
  return taken
}

function estimated(before: number, candidates: readonly Candidate[]): IndexAdvice[] {
  const tried = candidates
    .map((candidate) => ({ candidate, cost: costWith(before, candidate) }))
    .sort((a, b) => a.cost - b.cost)
  const taken: IndexAdvice[] = []
  const scans = new Set<unknown>()
  for (const { candidate, cost } of tried) {
    if (cost > before * WORTH || scans.has(candidate.scan.node) || taken.length >= MOST) continue
    scans.add(candidate.scan.node)
    taken.push(adviceOf(candidate, 'estimate', before, cost, bytesOf(candidate)))
  }
  return taken
}

/**
 * https://www.postgresql.org/docs/current/index-cost-estimation.html, for rows that lie anywhere: how many
 * pages they are on is told by the formula of Mackert and Lohman (1989), as PostgreSQL does.
 */
function costWith(before: number, candidate: Candidate): number {
  const { table, share, limit, lookups } = candidate
  const matched = Math.max(1, table.rows * share)
  const rows = limit === null ? matched : Math.min(matched, limit)
  const pages = Math.min(table.pages, (2 * table.pages * rows) / (2 * table.pages + rows))
  const page = PAGE_COST - (PAGE_COST - 1) * Math.sqrt(pages / Math.max(1, table.pages))
  const once = DESCENT_COST + page * pages + ROW_COST * rows
  return Math.max(0, before - replacedCost(candidate)) + once * lookups
}

/** Of what the index replaces: the scan and what gathers it, with its sort or its join perhaps. */
function replacedCost({ scan, limit, lookups }: Candidate): number {
  const also = [
    'Gather|Gather Merge',
    ...(limit === null ? [] : ['Sort|Incremental Sort']),
    ...(lookups > 1
      ? ['Hash', 'Hash Join', 'Merge Join', 'Nested Loop', 'Materialize', 'Sort']
      : []),
  ]
  const isReplaced = new RegExp(`^(${also.join('|')})$`)
  let cost = figure(scan.node, 'Total Cost')
  for (let up = scan.parent; up && isReplaced.test(up.node['Node Type']); up = up.parent) {
    cost = figure(up.node, 'Total Cost')
    if (/Join|Loop/.test(up.node['Node Type'])) break
  }
  return cost
}

const bytesOf = ({ table, columns }: Candidate): number => {
  const width = columns.reduce((all, column) => {
    const name = column.replace(/ desc$/, '').replaceAll('"', '')
    return all + (table.columns.find((one) => one.name === name)?.width ?? 16)
  }, 0)
  // A tuple of an index has a header of 8 bytes and a pointer of 4, and leaves are filled to 90 %.
  return Math.max(PAGE_BYTES, Math.round((table.rows * (width + 12)) / 0.9))
}

const nameSql = (...parts: string[]): string =>
  parts
    .map((part) => (/^[a-z_][a-z0-9_]*$/.test(part) ? part : `"${part.replaceAll('"', '""')}"`))
    .join('.')

const bareSql = ({ table, columns, method }: Candidate): string =>
  `create index on ${nameSql(table.schema, table.name)} using ${method} (${columns.join(', ')})`

/** The texts for a database that nobody else is in, with the index's name. */
export function plainSql({ create_sql, drop_sql }: IndexAdvice) {
  const [create, dropped] = [statementOf(create_sql), statementOf(drop_sql)]
  const name = dropped.slice('drop index concurrently '.length, -1)
  return {
    name,
    create: create.replace(/^create index concurrently/, 'create index'),
    drop: `drop index ${name}`,
  }
}

/** Without the line that says how a migration is to run. */
export const statementOf = (text: string): string => text.slice(text.lastIndexOf('\n') + 1)

function adviceOf(
  candidate: Candidate,
  method: IndexAdvice['method'],
  cost_before: number,
  cost_after: number,
  size_bytes: number,
): IndexAdvice {
  const { table, columns, why } = candidate
  const words = columns.map((column) =>
    column.replaceAll(/[^a-z0-9]+/gi, '_').replaceAll(/^_|_$/g, ''),
  )
  const name = `${table.name}_${words.join('_')}`.slice(0, 55).concat('_idx')
  const on = nameSql(table.schema, table.name)
  return {
    create_sql: `-- transaction: none\ncreate index concurrently ${nameSql(name)} on ${on} using ${candidate.method} (${columns.join(', ')});`,
    drop_sql: `-- transaction: none\ndrop index concurrently ${nameSql(table.schema, name)};`,
    why,
    replaces: table.indexes
      .filter((one) => isPrefix(one.columns, columns) && one.is_plain && !one.is_unique)
      .map((one) => one.name),
    method,
    cost_before: Math.round(cost_before * 100) / 100,
    cost_after: Math.round(cost_after * 100) / 100,
    ms_before: null,
    ms_after: null,
    size_bytes,
    write_overhead: `one more entry for each of the inserts (${shownNumber(table.inserted)} so far) and most updates (${shownNumber(table.updated)}); the table has ${table.indexes.length} indexes now`,
  }
}

const isPrefix = (have: readonly string[], wanted: readonly string[]): boolean =>
  have.length < wanted.length &&
  have.every((column, index) => wanted[index]?.replace(/ desc$/, '') === column)
