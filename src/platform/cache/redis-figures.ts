import type { CacheStats } from './cache-store.js'

type Figures = Pick<
  CacheStats,
  'used_memory_bytes' | 'max_memory_bytes' | 'hit_rate' | 'evicted_keys' | 'connected_clients'
>

/**
 * What the INFO answers of all servers come to. They count every application's keys and clients, as
 * Redis counts nothing by key name.
 */
export function figuresOf(infos: readonly string[]): Figures {
  const limits = infos.map((info) => figure(info, 'maxmemory'))
  const reads = sum(infos, 'keyspace_hits', 'keyspace_misses')
  const hits = sum(infos, 'keyspace_hits')
  return {
    used_memory_bytes: sum(infos, 'used_memory'),
    // One server without a limit leaves the whole without one.
    max_memory_bytes: limits.includes(0) ? null : sum(infos, 'maxmemory'),
    hit_rate: reads && hits !== null ? hits / reads : null,
    evicted_keys: sum(infos, 'evicted_keys'),
    connected_clients: sum(infos, 'connected_clients'),
  }
}

/** What is counted since the servers started. */
export const countersOf = (infos: readonly string[]) => ({
  hits: sum(infos, 'keyspace_hits'),
  misses: sum(infos, 'keyspace_misses'),
  evicted_keys: sum(infos, 'evicted_keys'),
})

/**
 * Whether every server drops entries at its limit: all policies but `noeviction` find something among
 * ours, which all have an end. https://redis.io/docs/latest/develop/reference/eviction/
 */
export function evicts(infos: readonly string[]): boolean | null {
  const policies = infos.map((info) => /^maxmemory_policy:(\S+)/m.exec(info)?.[1])
  if (policies.some((policy) => policy === undefined)) return null
  return !policies.includes('noeviction')
}

/** Null when a server does not report a field. */
function sum(infos: readonly string[], ...fields: string[]): number | null {
  const figures = infos.flatMap((info) => fields.map((field) => figure(info, field)))
  return figures.reduce((total, value) => (total === null || value === null ? null : total + value))
}

function figure(info: string, field: string): number | null {
  const value = new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]
  return value === undefined ? null : Number(value)
}
