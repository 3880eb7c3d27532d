import {
  figure,
  nameOf,
  nodesOf,
  type Placed,
  type Plan,
  removedBy,
  rowsOf,
  shownNumber,
  textOf,
} from './plan.js'

/** What a plan shows that costs time, and what to do about it. */
export interface PlanFinding {
  readonly rule: string
  readonly node: string
  readonly evidence: string
  readonly advice: string
}

/** What is known of a table beside the plan. */
export interface TableFacts {
  readonly name: string
  readonly rows: number
  readonly pages: number
  /** The share of its rows that changed since statistics were taken; null where they never were. */
  readonly stale_share: number | null
}

interface Context {
  readonly plan: Plan
  readonly tables: ReadonlyMap<string, TableFacts>
}

interface Said {
  readonly evidence: string
  readonly advice: string
}

type Rule = (placed: Placed, context: Context) => Said | null

const kind = ({ node }: Placed): string => node['Node Type']
const n = shownNumber

/** The table's rows as last counted. */
const tableRows = ({ node }: Placed, { tables }: Context): number =>
  tables.get(textOf(node, 'Relation Name'))?.rows ?? 0

/** Rows that a scan threw away: counted, or what the planner expects of the table. */
function thrownAway(placed: Placed, context: Context): number {
  if (placed.isMeasured) return removedBy(placed, 'Filter')
  return placed.node.Filter ? Math.max(0, tableRows(placed, context) - rowsOf(placed)) : 0
}

const isInner = ({ node }: Placed): boolean => node['Parent Relationship'] === 'Inner'

/** Each rule looks at one node. Thresholds are those of the design of operations, section B3. */
const RULES: Readonly<Record<string, Rule>> = {
  seq_scan_filter: (placed, context) => {
    if (!/Seq Scan/.test(kind(placed)) || !placed.node.Filter) return null
    const [removed, kept] = [thrownAway(placed, context), rowsOf(placed)]
    if (removed <= 10_000 || removed / (removed + kept) <= 0.9) return null
    return {
      evidence: `reads ${n(removed + kept)} rows to keep ${n(kept)} by ${textOf(placed.node, 'Filter')}`,
      advice: 'An index on the columns of this filter would find those rows; see indexes.',
    }
  },
  seq_scan_most: (placed, context) => {
    if (kind(placed) !== 'Seq Scan') return null
    const [removed, kept] = [thrownAway(placed, context), rowsOf(placed)]
    if (kept < 10_000 || kept / (removed + kept) <= 0.5) return null
    return {
      evidence: `keeps ${n(kept)} of ${n(removed + kept)} rows`,
      advice:
        'No index will help, because most of the table is wanted: read fewer rows, or keep a summary.',
    }
  },
  estimate_off: (placed) => {
    const { node, isMeasured } = placed
    if (!isMeasured || node['Actual Loops'] === 0) return null
    const [expected, actual] = [
      Math.max(1, figure(node, 'Plan Rows')),
      Math.max(1, figure(node, 'Actual Rows')),
    ]
    const off = Math.max(expected, actual) / Math.min(expected, actual)
    if (off <= 10 || Math.max(expected, actual) < 100 || isCutShort(placed)) return null
    const conditions = [node.Filter, node['Index Cond'], node['Hash Cond']]
      .filter(Boolean)
      .join(' ')
    const several = (conditions.match(/ AND /g) ?? []).length >= 1
    return {
      evidence: `${n(expected)} rows were expected and ${n(actual)} came, ${n(off)} times off`,
      advice: several
        ? 'Run update_statistics; if it stays so, the columns depend on each other: CREATE STATISTICS on them.'
        : 'Run update_statistics; if it stays so, raise the statistics target of the column.',
    }
  },
  sort_on_disk: ({ node }) =>
    /external/.test(textOf(node, 'Sort Method'))
      ? {
          evidence: `sorts ${n(figure(node, 'Sort Space Used'))} kB on disk by ${String(node['Sort Key'])}`,
          advice:
            'Raise work_mem for this query, sort fewer rows or columns, or read them in order from an index.',
        }
      : null,
  hash_batches: ({ node }) =>
    node['Node Type'] === 'Hash' && figure(node, 'Hash Batches') > 1
      ? {
          evidence: `the hash table needs ${figure(node, 'Hash Batches')} batches, so it goes to disk`,
          advice: 'Raise work_mem for this query, or filter before the join.',
        }
      : null,
  hash_aggregate_disk: ({ node }) =>
    /Aggregate/.test(node['Node Type']) &&
    (figure(node, 'Disk Usage') > 0 || figure(node, 'Planned Partitions') > 0)
      ? {
          evidence: `groups go to disk (${n(figure(node, 'Disk Usage'))} kB)`,
          advice: 'Raise work_mem for this query, or group fewer rows.',
        }
      : null,
  bitmap_lossy: ({ node }) =>
    figure(node, 'Lossy Heap Blocks') > 0
      ? {
          evidence: `${n(figure(node, 'Lossy Heap Blocks'))} pages are read as a whole, for the bitmap did not fit`,
          advice: 'Raise work_mem for this query, or use a more selective index.',
        }
      : null,
  recheck: (placed) => {
    const removed = removedBy(placed, 'Index Recheck')
    return removed > 1_000 && removed > rowsOf(placed)
      ? {
          evidence: `${n(removed)} of the rows that the index found were not wanted`,
          advice:
            'The index is too coarse for this condition: use one of another kind, or raise work_mem.',
        }
      : null
  },
  index_filter: (placed) => {
    if (
      !/^(Index Scan|Bitmap Heap Scan)$/.test(kind(placed)) ||
      !placed.isMeasured ||
      isCutShort(placed)
    )
      return null
    const [removed, kept] = [removedBy(placed, 'Filter'), rowsOf(placed)]
    if (removed <= 1_000 || removed / (removed + kept) <= 0.8) return null
    return {
      evidence: `the index leads to ${n(removed + kept)} rows, of which ${n(removed)} are thrown away by ${textOf(placed.node, 'Filter')}`,
      advice: 'An index that has the columns of this filter too would lead to fewer; see indexes.',
    }
  },
  heap_fetches: (placed) => {
    const fetches =
      figure(placed.node, 'Heap Fetches') * Math.max(1, figure(placed.node, 'Actual Loops'))
    return kind(placed) === 'Index Only Scan' && fetches > 1_000 && fetches > rowsOf(placed) * 0.2
      ? {
          evidence: `${n(fetches)} rows had to be looked up in the table although the index has all columns`,
          advice: 'Run optimize_tables with vacuum: it marks which pages need no look.',
        }
      : null
  },
  nested_loop_many: (placed, { plan }) => {
    if (
      !isInner(placed) ||
      placed.parent?.node['Node Type'] !== 'Nested Loop' ||
      !placed.isMeasured
    )
      return null
    const loops = figure(placed.node, 'Actual Loops')
    const spent = figure(placed.node, 'Actual Total Time') * loops
    if (loops < 1_000 || spent < 0.5 * figure(plan.Plan, 'Actual Total Time')) return null
    return {
      evidence: `runs ${n(loops)} times and takes ${n(spent)} ms of ${n(figure(plan.Plan, 'Actual Total Time'))} ms`,
      advice:
        'Give its join column an index, or let a hash join be chosen: update_statistics first.',
    }
  },
  nested_loop_underestimate: (placed) => {
    if (kind(placed) !== 'Nested Loop' || !placed.isMeasured) return null
    const outer = placed.node.Plans?.find((one) => one['Parent Relationship'] === 'Outer')
    if (!outer || figure(outer, 'Plan Rows') > 1 || figure(outer, 'Actual Rows') <= 100) return null
    return {
      evidence: `one outer row was expected and ${n(figure(outer, 'Actual Rows'))} came`,
      advice:
        'The planner chose the loop for one row: run update_statistics, or CREATE STATISTICS on the columns of its filter.',
    }
  },
  limit_walk: (placed) => {
    if (kind(placed) !== 'Limit' || !placed.isMeasured) return null
    const scan = placed.node.Plans?.[0]
    if (!scan || !/^Index( Only)? Scan$/.test(scan['Node Type']) || !scan.Filter) return null
    const removed = figure(scan, 'Rows Removed by Filter')
    return removed > 10_000
      ? {
          evidence: `walks the index ${textOf(scan, 'Index Name')} in order and throws ${n(removed)} rows away before it has ${n(rowsOf(placed))}`,
          advice:
            'An index with the columns of the filter first and the order after them ends at once; see indexes.',
        }
      : null
  },
  offset: (placed) => {
    const below = placed.node.Plans?.[0]
    if (kind(placed) !== 'Limit' || !below) return null
    const [given, read] = placed.isMeasured
      ? [figure(placed.node, 'Actual Rows'), figure(below, 'Actual Rows')]
      : [figure(placed.node, 'Plan Rows'), readTo(placed)]
    return read - given > 10_000 && !/Sort/.test(below['Node Type'])
      ? {
          evidence: `reads and drops ${n(read - given)} rows of an OFFSET`,
          advice:
            'Page by the last key instead: WHERE (sort columns) > (last values) ORDER BY … LIMIT n.',
        }
      : null
  },
  cte_scan: (placed) => {
    const cte = textOf(placed.node, 'Subplan Name')
    return cte.startsWith('CTE ') &&
      rowsOf(placed) > 10_000 &&
      !/Recursive|WorkTable/.test(kind(placed))
      ? {
          evidence: `${cte} is computed as a whole, ${n(rowsOf(placed))} rows, before the query reads it`,
          advice:
            'If it is read once, or little of it is needed, write it WITH … AS NOT MATERIALIZED.',
        }
      : null
  },
  subplan_loops: (placed) => {
    const isSubplan = placed.node['Parent Relationship'] === 'SubPlan'
    const loops = placed.isMeasured
      ? figure(placed.node, 'Actual Loops')
      : placed.parent
        ? rowsOf(placed.parent)
        : 0
    return isSubplan && loops > 100
      ? {
          evidence: `a subquery runs once for each of ${n(loops)} rows`,
          advice: 'Join it, or join an aggregate of it: one pass instead of many.',
        }
      : null
  },
  not_in: (placed) =>
    / ?NOT \((?!hashed).*SubPlan|NOT \(\w.* = ANY|<> ALL \(SubPlan/.test(
      `${textOf(placed.node, 'Filter')}`,
    ) && !/hashed SubPlan/.test(textOf(placed.node, 'Filter'))
      ? {
          evidence: `NOT IN compares every row with a subquery: ${textOf(placed.node, 'Filter')}`,
          advice:
            'Write NOT EXISTS (select … where …): it can be joined, and NULLs do not empty the answer.',
        }
      : null,
  leading_wildcard: (placed, context) => {
    const filter = textOf(placed.node, 'Filter')
    return /~~\*? '%/.test(filter) &&
      /Seq Scan/.test(kind(placed)) &&
      thrownAway(placed, context) > 10_000
      ? {
          evidence: `LIKE with a wildcard in front reads the whole table: ${filter}`,
          advice:
            'A plain index cannot help; one of pg_trgm can: CREATE INDEX … USING gin (column gin_trgm_ops).',
        }
      : null
  },
  or_columns: (placed, context) => {
    const filter = textOf(placed.node, 'Filter')
    const columns = new Set(
      [...filter.matchAll(/\(\(?(?:\w+\.)?"?(\w+)"?\)?(?:::\w+)? [=<>]/g)].map(
        ([, column]) => column,
      ),
    )
    return / OR /.test(filter) &&
      columns.size > 1 &&
      /Seq Scan/.test(kind(placed)) &&
      thrownAway(placed, context) > 10_000
      ? {
          evidence: `OR over several columns reads the whole table: ${filter}`,
          advice:
            'With an index on each of them PostgreSQL joins both; else write two queries and UNION them.',
        }
      : null
  },
  parallel_launched: ({ node }) =>
    figure(node, 'Workers Planned') > figure(node, 'Workers Launched') && 'Workers Launched' in node
      ? {
          evidence: `${figure(node, 'Workers Launched')} of ${figure(node, 'Workers Planned')} parallel workers were there`,
          advice: 'Other queries had them: raise max_parallel_workers, or run it at another time.',
        }
      : null,
  planning_time: ({ parent }, { plan }) => {
    const [planning, execution] = [
      Number(plan['Planning Time'] ?? 0),
      Number(plan['Execution Time'] ?? 0),
    ]
    return parent === null && 'Execution Time' in plan && planning > 10 && planning > execution
      ? {
          evidence: `planning takes ${n(planning)} ms, running ${n(execution)} ms`,
          advice: 'Prepare it once, or name fewer partitions and joins.',
        }
      : null
  },
  append_many: ({ node }) =>
    /Append/.test(node['Node Type']) && (node.Plans?.length ?? 0) > 50
      ? {
          evidence: `reads ${node.Plans?.length} partitions`,
          advice: 'Filter by the partition key with constants, so that the others are left out.',
        }
      : null,
  buffers_read: ({ node, parent }) => {
    const [read, hit] = [figure(node, 'Shared Read Blocks'), figure(node, 'Shared Hit Blocks')]
    return parent === null && read >= 10_000 && read >= hit * 10
      ? {
          evidence: `${n(read)} pages came from disk, ${n(hit)} from memory`,
          advice: 'Run it once more: if it stays so, it reads more than memory holds.',
        }
      : null
  },
  temp_files: ({ node, parent }) => {
    const written = figure(node, 'Temp Written Blocks')
    return parent === null && written > 0
      ? {
          evidence: `${n(written * 8)} kB went through temporary files`,
          advice: 'Raise work_mem for this query, or make it keep fewer rows at a time.',
        }
      : null
  },
  memoize: ({ node }) => {
    const [hits, misses] = [figure(node, 'Cache Hits'), figure(node, 'Cache Misses')]
    return node['Node Type'] === 'Memoize' && misses > 1_000 && hits / (hits + misses) < 0.1
      ? {
          evidence: `the cache of the join found ${n(hits)} of ${n(hits + misses)}`,
          advice: 'It does not pay: run update_statistics so that another join is chosen.',
        }
      : null
  },
  cartesian: (placed) =>
    kind(placed) === 'Nested Loop' &&
    !placed.node['Join Filter'] &&
    rowsOf(placed) > 1_000_000 &&
    !hasIndexCondition(placed)
      ? {
          evidence: `joins everything with everything: ${n(rowsOf(placed))} rows`,
          advice: 'A join condition is missing: add it to ON or WHERE.',
        }
      : null,
  foreign_scan: (placed) =>
    kind(placed) === 'Foreign Scan' && placed.node.Filter
      ? {
          evidence: `the filter ${textOf(placed.node, 'Filter')} is not sent to the other server`,
          advice: 'Write it with functions that the other server has too.',
        }
      : null,
  disabled: ({ node }) =>
    node.Disabled === true || figure(node, 'Total Cost') >= 1e10
      ? {
          evidence: 'the plan uses what a setting has switched off',
          advice: 'Set the enable_… settings back to on.',
        }
      : null,
  rows_returned: (placed, { plan }) =>
    placed.parent === null && rowsOf(placed) > 10_000 && plan.Plan === placed.node
      ? {
          evidence: `gives ${n(rowsOf(placed))} rows to its caller`,
          advice: 'Aggregate or LIMIT in the query.',
        }
      : null,
  stale_statistics: (placed, { tables }) => {
    const facts = tables.get(textOf(placed.node, 'Relation Name'))
    if (!facts || !/Scan/.test(kind(placed))) return null
    if (facts.stale_share !== null && facts.stale_share <= 0.2) return null
    return {
      evidence:
        facts.stale_share === null
          ? `statistics of ${facts.name} were never taken`
          : `${n(facts.stale_share * 100)} % of ${facts.name} changed since its statistics were taken`,
      advice: `Run update_statistics for ${facts.name}.`,
    }
  },
}

/** Under a LIMIT a node ends before it has given what was expected. */
function isCutShort(placed: Placed): boolean {
  for (let up = placed.parent; up; up = up.parent) {
    if (/Limit|Semi|Anti/.test(`${kind(up)}${textOf(up.node, 'Join Type')}`)) return true
    if (/Sort|Aggregate|Hash$/.test(kind(up))) return false
  }
  return false
}

/** Rows below that a LIMIT reads, where only costs are known: the share of the cost that it takes. */
function readTo({ node }: Placed): number {
  const [below] = node.Plans ?? []
  if (!below) return 0
  const share =
    (figure(node, 'Total Cost') - figure(below, 'Startup Cost')) /
    Math.max(1, figure(below, 'Total Cost') - figure(below, 'Startup Cost'))
  return figure(below, 'Plan Rows') * Math.min(1, share)
}

const hasIndexCondition = ({ node }: Placed): boolean =>
  (node.Plans ?? []).some(
    (one) =>
      one['Index Cond'] ||
      one['Cache Key'] ||
      hasIndexCondition({ node: one, parent: null, isMeasured: false }),
  )

/** What the rules find in a plan, each once for each node. */
export function findingsOf(plan: Plan, tables: ReadonlyMap<string, TableFacts>): PlanFinding[] {
  const found: PlanFinding[] = []
  for (const placed of nodesOf(plan)) {
    for (const [rule, look] of Object.entries(RULES)) {
      const said = look(placed, { plan, tables })
      const isKnown =
        said && found.some((one) => one.rule === rule && one.evidence === said.evidence)
      if (said && !isKnown) found.push({ rule, node: nameOf(placed), ...said })
    }
  }
  return found
}
