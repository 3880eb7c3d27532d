/** A node of a plan, as EXPLAIN (FORMAT JSON) writes it. */
export interface PlanNode {
  readonly 'Node Type': string
  readonly Plans?: readonly PlanNode[]
  readonly [field: string]: unknown
}

/** A whole plan. */
export interface Plan {
  readonly Plan: PlanNode
  readonly [field: string]: unknown
}

/** A node with where it stands. */
export interface Placed {
  readonly node: PlanNode
  readonly parent: Placed | null
  /** It was run, so what it really did is known. */
  readonly isMeasured: boolean
}

/** A number of a node; 0 where it has none. */
export const figure = (node: PlanNode, field: string): number => Number(node[field] ?? 0)

/** A text of a node; empty where it has none. */
export const textOf = (node: PlanNode, field: string): string => String(node[field] ?? '')

/** Every node, parents first. */
export function nodesOf({ Plan }: Plan): Placed[] {
  const found: Placed[] = []
  const waiting: Placed[] = [{ node: Plan, parent: null, isMeasured: 'Actual Rows' in Plan }]
  for (let next = waiting.shift(); next; next = waiting.shift()) {
    found.push(next)
    const parent = next
    for (const node of next.node.Plans ?? []) {
      waiting.push({ node, parent, isMeasured: 'Actual Rows' in node })
    }
  }
  return found
}

/** Rows that a node gave, over all its loops; as the planner expects them where it was not run. */
export const rowsOf = (placed: Placed): number =>
  placed.isMeasured
    ? figure(placed.node, 'Actual Rows') * Math.max(1, figure(placed.node, 'Actual Loops'))
    : Math.round(figure(placed.node, 'Plan Rows') * sharedBy(placed))

/** Below a Gather rows are expected for each process: the leader helps the less, the more workers it has. */
function sharedBy({ node, parent }: Placed): number {
  if (!isShared(node)) return 1
  for (let up = parent; up; up = up.parent) {
    if (!/^Gather/.test(up.node['Node Type'])) continue
    const workers = figure(up.node, 'Workers Planned')
    return workers + Math.max(0, 1 - 0.3 * workers)
  }
  return 1
}

const isShared = (node: PlanNode): boolean =>
  node['Parallel Aware'] === true || (node.Plans ?? []).some(isShared)

/** The same for rows that a condition threw away. */
export const removedBy = ({ node }: Placed, condition: string): number =>
  figure(node, `Rows Removed by ${condition}`) * Math.max(1, figure(node, 'Actual Loops'))

/** What a finding is about: `Seq Scan on orders`. */
export function nameOf({ node }: Placed): string {
  const on =
    node['Relation Name'] ?? node['CTE Name'] ?? node['Index Name'] ?? node['Function Name']
  return on === undefined ? node['Node Type'] : `${node['Node Type']} on ${String(on)}`
}

/** 18334.2 as 18 334. */
export const shownNumber = (value: number): string =>
  Math.abs(value) < 10
    ? String(Math.round(value * 100) / 100)
    : Math.round(value).toLocaleString('en-US').replaceAll(',', ' ')
