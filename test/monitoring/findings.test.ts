import { afterAll, expect, test } from 'vitest'
import { open } from '../failures/serving.js'
import { Cluster } from '../support/cluster.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

/** Checks of the contract that need nothing else than a PostgreSQL. */
const CONTRACT = [
  ...['blocking', 'idle_in_transaction', 'long_transaction', 'connections_used', 'pool_exhausted'],
  ...['deadlocks', 'rollback_ratio', 'cache_hit_ratio', 'slow_queries', 'query_regression'],
  ...['temp_files', 'checkpoints_requested', 'table_bloat', 'index_bloat', 'dead_rows'],
  ...['stale_statistics', 'xid_wraparound', 'xmin_horizon', 'prepared_transaction'],
  ...[
    'sequence_exhaustion',
    'invalid_index',
    'duplicate_index',
    'unused_index',
    'missing_fk_index',
  ],
  ...['missing_partition', 'unlogged_data', 'replication_lag', 'replication_slot_inactive'],
  ...['replication_slot_wal', 'archiver_failing', 'checksum_failures', 'disk_used'],
  ...['server_settings', 'backup_overdue', 'backup_failing', 'backup_unverified', 'backup_rpo'],
  ...['migrations_pending', 'migrations_problem', 'events_failing', 'redis_down', 'redis_memory'],
  ...['redis_evictions', 'redis_hit_ratio', 'event_loop_lag', 'process_memory', 'own_overhead'],
  'audit_growth',
]

// On a server of its own: what other tests do to theirs would be found.
const cluster = await Cluster.start(afterAll)
const served = await open(cluster.url, monitoringPolicy())
const client = await served.connect()
const found = () => client.resource('db/findings')

test('every check of the contract is well with its value and threshold, or unknown with a reason', async () => {
  const answer = await waitFor(async () => {
    const now = await found()
    return now.passed.some(({ check }: { check: string }) => check === 'slow_queries') && now
  })
  const named = [...answer.passed, ...answer.unknown, ...answer.findings].map(({ check }) => check)
  expect(CONTRACT.filter((check) => !named.includes(check))).toEqual([])
  expect(named.length).toBe(new Set(named).size)
  for (const { check, value, threshold } of answer.passed) {
    expect(value, check).not.toBeUndefined()
    expect(threshold, check).not.toBeNull()
  }
  for (const { reason } of answer.unknown) expect(reason).toMatch(/^[A-Z].+\.$/)
})

test('a new database has no finding, and a store that can be used', async () => {
  await waitFor(async () => (await client.resource('db/status')).object_store.status === 'ok')
  await waitFor(async () => (await found()).sampled_at !== null)
  expect((await found()).findings).toEqual([])
  expect(await client.resource('db/status')).toMatchObject({
    findings: { critical: 0, warning: 0, info: 0 },
    last_backup: { at: null, backup_id: null, reason: 'There is no backup yet.' },
  })
})

test('the default answers are short enough for a model to read whole', async () => {
  for (const uri of [
    'db/status',
    'db/findings',
    'db/metrics',
    'db/locks',
    'db/slow-queries',
    'db/performance/tables',
  ]) {
    const size = JSON.stringify(await client.resource(uri)).length
    expect(size, uri).toBeLessThan(8_000)
  }
})
