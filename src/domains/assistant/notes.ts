/** Fields of answers that are worth keeping beside an action; texts from outside are not among them. */
const WORTH = [
  'backup_id',
  'type',
  'size_bytes',
  'covered_until',
  'trades_processed',
  'sources_updated',
  'patterns_updated',
  'warmed_entries',
  'tables_optimized',
  'updated',
  'space_reclaimed',
  'duration_ms',
  'estimated_improvement',
  'suggestions',
  'indexes',
  'pool_stats',
  'cancelled',
  'terminated',
]

const MOST_TEXT = 500
const MOST_ITEMS = 5

/** What is kept of a tool's answer: figures, ids and what it advises. */
export function digestOfAnswer(answer: unknown): Record<string, unknown> {
  const given = Object(answer)
  const kept = WORTH.filter((name) => given[name] !== undefined).map((name) => [
    name,
    shortened(given[name]),
  ])
  return { ...Object.fromEntries(kept), ...holdersIn(given.connection_details) }
}

/** Who holds the connections, by application and state, the most first. */
function holdersIn(details: unknown): { holders?: unknown[] } {
  if (!Array.isArray(details)) return {}
  const counts = new Map<string, { application_name: string; state: string; connections: number }>()
  for (const { application_name, state } of details.map(Object)) {
    const key = JSON.stringify([application_name, state])
    const known = counts.get(key)
    if (known) known.connections += 1
    else counts.set(key, { application_name, state, connections: 1 })
  }
  const holders = [...counts.values()].sort((a, b) => b.connections - a.connections)
  return { holders: holders.slice(0, 2 * MOST_ITEMS) }
}

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return value.slice(0, MOST_TEXT)
  return Array.isArray(value) ? value.slice(0, MOST_ITEMS).map(shortened) : value
}
