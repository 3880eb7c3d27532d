import { type Condition, conditionsOf } from '../../platform/sql-parser/conditions.js'
import type { TableDetails } from './advice.sql.js'
import { figure, nodesOf, type Placed, type Plan, rowsOf, textOf } from './plan.js'

/** An index that could help, and where. */
export interface Candidate {
  readonly table: TableDetails
  /** As they are written in CREATE INDEX. */
  readonly columns: readonly string[]
  readonly method: 'btree' | 'gin'
  readonly why: string
  /** The scan that it would replace. */
  readonly scan: Placed
  /** All conditions of the scan are served. */
  readonly isComplete: boolean
  /** Share of the rows that its columns lead to, as statistics tell. */
  readonly share: number
  /** The rows come in the order that is wanted, and only so many are. */
  readonly limit: number | null
  /** How often it is looked into: once for each row of the other side of a join. */
  readonly lookups: number
}

const MOST_EQUAL = 3
/** A table that fits into so few pages is read faster as a whole. */
const SMALL_PAGES = 20

interface Look {
  readonly table: TableDetails
  readonly scan: Placed
  readonly equal: readonly string[]
  readonly range: readonly string[]
  readonly contains: readonly string[]
  readonly wrapped: readonly string[]
  readonly conditions: readonly Condition[]
}

/** Indexes for the scans of a plan that read more than they keep, join without one, or sort for a LIMIT. */
export async function candidatesFor(
  plan: Plan,
  tables: readonly TableDetails[],
): Promise<Candidate[]> {
  const found: Candidate[] = []
  for (const placed of nodesOf(plan)) {
    const table = tables.find(
      ({ schema, name }) => schema === placed.node.Schema && name === placed.node['Relation Name'],
    )
    if (!table || table.pages < SMALL_PAGES || !/Scan$/.test(placed.node['Node Type'])) continue
    const look = await lookAt(placed, table)
    found.push(...ofFilter(look), ...ofOrder(look), ...(await ofJoin(look)))
  }
  return found.filter(
    (one, index) => !isCovered(one) && found.findIndex((other) => isSame(one, other)) === index,
  )
}

async function lookAt(scan: Placed, table: TableDetails): Promise<Look> {
  const { node } = scan
  const texts = ['Filter', 'Index Cond', 'Recheck Cond']
    .map((field) => textOf(node, field))
    .filter(Boolean)
  const conditions = (await Promise.all(texts.map(conditionsOf))).flat()
  const own = conditions.filter(({ column, other }) => column && !other)
  const names = (kind: Condition['kind']): string[] => [
    ...new Set(
      own.flatMap((one) =>
        one.kind === kind && one.wrapper === null && one.column ? [one.column.name] : [],
      ),
    ),
  ]
  const wrapped = own.flatMap(({ wrapper, column, kind }) =>
    kind === 'equal' && column && (wrapper === 'lower' || wrapper === 'upper')
      ? [`${wrapper}(${quoted(column.name)})`]
      : [],
  )
  return {
    table,
    scan,
    conditions,
    wrapped,
    equal: bySelectivity(names('equal'), table),
    range: names('range'),
    contains: names('contains'),
  }
}

/** The more values a column has, the fewer rows are left after it. */
const bySelectivity = (names: readonly string[], { columns }: TableDetails): string[] => {
  const distinct = (name: string): number => columns.find((one) => one.name === name)?.distinct ?? 1
  return [...names].sort((a, b) => distinct(b) - distinct(a))
}

const quoted = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`

function shareOf(names: readonly string[], table: TableDetails): number {
  return names.reduce((share, name) => {
    const known = table.columns.find((one) => one.name === name)
    return known?.distinct ? share / Math.max(1, known.distinct) : share * 0.1
  }, 1)
}

/** What makes no index of this kind worth a try. */
const base = ({ table, scan }: Look) => ({
  table,
  scan,
  method: 'btree' as const,
  limit: null,
  lookups: 1,
})

function ofFilter(look: Look): Candidate[] {
  const { table, scan, equal, range, contains, wrapped, conditions } = look
  const found: Candidate[] = []
  const [first] = range
  const keys = [...equal.slice(0, MOST_EQUAL), ...(first === undefined ? [] : [first])]
  if (keys.length > 0) {
    const isComplete = conditions.every(
      ({ column, wrapper }) => column !== null && wrapper === null && keys.includes(column.name),
    )
    found.push({
      ...base(look),
      columns: keys.map(quoted),
      why: `finds the rows of ${table.name} by ${keys.join(', ')}`,
      isComplete,
      share: shareOf(equal.slice(0, MOST_EQUAL), table) * (first === undefined ? 1 : 0.3),
    })
    if (equal.length > 0 && first !== undefined && !isComplete) {
      found.push({
        ...base(look),
        columns: equal.slice(0, 1).map(quoted),
        why: `finds the rows of ${table.name} by ${equal[0]}`,
        isComplete: false,
        share: shareOf(equal.slice(0, 1), table),
      })
    }
  }
  for (const name of contains) {
    found.push({
      ...base(look),
      method: 'gin',
      columns: [quoted(name)],
      why: `finds what ${name} of ${table.name} contains`,
      isComplete: conditions.length === 1,
      share: 0.01,
    })
  }
  for (const expression of wrapped) {
    found.push({
      ...base(look),
      columns: [expression],
      why: `finds rows of ${table.name} by ${expression}`,
      isComplete: conditions.length === 1,
      share: 0.005,
    })
  }
  return found.map((one) => ({
    ...one,
    share: one.isComplete
      ? rowsOf({ ...scan, isMeasured: false }) / Math.max(1, table.rows)
      : one.share,
  }))
}

/** An index that has the order after the columns of the filter ends after a few rows. */
function ofOrder(look: Look): Candidate[] {
  const { table, scan, equal, conditions } = look
  const sort = scan.parent
  const limit = sort && limitOver(sort)
  if (!sort || !/Sort$/.test(sort.node['Node Type']) || limit === null) return []
  const keys = (sort.node['Sort Key'] as readonly string[] | undefined) ?? []
  const order = keys.map(orderOf)
  if (order.length === 0 || order.some((one) => one === null)) return []
  const isComplete = conditions.every(
    ({ column, wrapper, kind }) =>
      kind === 'equal' && column !== null && wrapper === null && equal.includes(column.name),
  )
  return [
    {
      ...base(look),
      columns: [...equal.slice(0, MOST_EQUAL).map(quoted), ...order.flatMap((one) => one ?? [])],
      why: `has the rows of ${table.name} in the order that is wanted, so that only ${limit} are read`,
      isComplete,
      share: isComplete
        ? rowsOf({ ...scan, isMeasured: false }) / Math.max(1, table.rows)
        : shareOf(equal, table),
      limit,
    },
  ]
}

function limitOver({ parent, node }: Placed): number | null {
  if (parent?.node['Node Type'] === 'Limit') return figure(parent.node, 'Plan Rows')
  return parent && /Gather/.test(parent.node['Node Type']) && /Sort/.test(node['Node Type'])
    ? limitOver(parent)
    : null
}

/** `t.at DESC` as `at desc`; null for what is no column. */
function orderOf(key: string): string | null {
  const [, name, direction = ''] =
    /^(?:"?[\w]+"?\.)?("(?:[^"]|"")+"|\w+)( DESC)?(?: NULLS (?:FIRST|LAST))?$/.exec(key) ?? []
  return name === undefined ? null : `${name}${direction.toLowerCase()}`
}

/** A join that reads a table as a whole could look its rows up instead. */
async function ofJoin(look: Look): Promise<Candidate[]> {
  const { table, scan } = look
  let join = scan.parent
  while (join && /^(Hash|Materialize|Sort|Gather|Gather Merge)$/.test(join.node['Node Type']))
    join = join.parent
  if (!join || !/Join|Nested Loop/.test(join.node['Node Type'])) return []
  const texts = ['Hash Cond', 'Merge Cond', 'Join Filter']
    .map((field) => textOf(join.node, field))
    .filter(Boolean)
  const conditions = (await Promise.all(texts.map(conditionsOf))).flat()
  const alias = textOf(scan.node, 'Alias')
  const keys = conditions.flatMap(({ column, other }) =>
    [column, other].flatMap((one) => (one && one.table === alias ? [one.name] : [])),
  )
  if (keys.length === 0) return []
  const outer = (join.node.Plans ?? []).find((one) => !holds(one, scan))
  const columns = [...new Set([...keys.slice(0, 2)])]
  return [
    {
      ...base(look),
      columns: columns.map(quoted),
      why: `lets the join look rows of ${table.name} up by ${columns.join(', ')}`,
      isComplete: false,
      share: shareOf(columns, table),
      lookups: Math.max(1, outer ? figure(outer, 'Plan Rows') : 1),
    },
  ]
}

const holds = (node: Placed['node'], { node: wanted }: Placed): boolean =>
  node === wanted ||
  (node.Plans ?? []).some((one) => holds(one, { node: wanted, parent: null, isMeasured: false }))

/** An index that is there begins with the same columns. */
const isCovered = ({ table, columns, method }: Candidate): boolean =>
  method === 'btree' &&
  table.indexes.some(
    (one) =>
      one.is_plain &&
      columns.every(
        (column, index) => quoted(one.columns[index] ?? '') === column.replace(/ desc$/, ''),
      ),
  )

const isSame = (a: Candidate, b: Candidate): boolean =>
  a.table === b.table && a.method === b.method && a.columns.join() === b.columns.join()
