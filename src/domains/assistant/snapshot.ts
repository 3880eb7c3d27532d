import { z } from 'zod'

/** What one look at a part came to: its answer, or why there is none. */
export type Seen<T> =
  | { readonly known: true; readonly value: T }
  | { readonly known: false; readonly reason: string }

const amount = z.coerce.number().nullable().catch(null)
const at = z.string().nullable().catch(null)
const short = z.string().max(2_000)

const STATUS = z.looseObject({
  status: z.enum(['healthy', 'degraded', 'unhealthy']),
  reasons: z.array(short).default([]),
  postgresql: z.looseObject({
    status: short,
    engine: short.optional(),
    version: short.nullish(),
  }),
  redis: z.looseObject({ status: short }),
  connection_pool: z.looseObject({
    active: z.number(),
    waiting: z.number(),
    max: z.number(),
  }),
  replication_lag: z.looseObject({ max_lag_seconds: amount }).nullish(),
})

const FINDINGS = z.looseObject({
  findings: z.array(
    z.looseObject({
      check: short,
      severity: z.enum(['critical', 'warning', 'info']),
      object: short.nullable().catch(null),
      title: short,
      evidence: z.record(z.string(), z.unknown()).catch({}),
      next_step: short.nullish(),
    }),
  ),
})

const SLOW = z.looseObject({
  queries: z.array(
    z.looseObject({
      query: z.string().nullable(),
      queryid: z.coerce.string(),
      avg_time_ms: z.number(),
      calls: z.coerce.number(),
      total_time_ms: amount,
    }),
  ),
})

const TABLES = z.looseObject({
  tables: z.array(
    z.looseObject({
      name: short,
      size_bytes: amount,
      rows: amount,
      dead_rows: amount,
      last_vacuum: at,
      last_analyze: at,
    }),
  ),
})

const BACKUP = z
  .looseObject({ backup_id: short, timestamp: short, size_bytes: amount })
  .nullable()
  .catch(null)
const BACKUPS = z.looseObject({
  latest_full: BACKUP,
  latest_incremental: BACKUP,
  covered_until: at,
  rpo_seconds: amount,
  last_verified: z.looseObject({ at: short }).nullable().catch(null),
})

const SYNC = z.looseObject({
  catalyst_outcomes: z.looseObject({ pending_updates: z.number(), last_sync: at }),
  source_metrics: z.looseObject({ pending_calculations: z.number() }),
  pattern_outcomes: z.looseObject({ due_outcomes: z.number() }),
  has_pending: z.boolean(),
})

const CACHE = z.looseObject({
  status: short,
  redis_info: z.looseObject({
    hit_rate: amount,
    by_cache_type: z.record(
      z.string(),
      z.looseObject({ keys: amount, hits: z.number(), misses: z.number() }),
    ),
  }),
})

const CONNECTIONS = z.looseObject({
  connection_details: z.array(
    z.looseObject({
      pid: z.number(),
      application_name: short,
      state: short.nullable(),
      connected_at: short,
      transaction_age_ms: amount,
    }),
  ),
})

const LOCKS = z.looseObject({
  blocked: z.number(),
  longest_wait_ms: amount,
  trees: z.array(
    z.looseObject({
      pid: z.number(),
      state: short.nullable().catch(null),
      transaction_age_ms: amount,
      blocks: z.array(z.unknown()).catch([]),
    }),
  ),
})

/** Stocks that are held now: what is asked about most. */
const HELD = z.looseObject({ items: z.array(z.looseObject({ symbol: short.nullable() })) })

/** Where each part of the picture is read. */
export const SECTIONS = {
  status: { path: 'db/status', schema: STATUS },
  findings: { path: 'db/findings', schema: FINDINGS },
  slow: { path: 'db/performance/slow-queries', schema: SLOW },
  tables: { path: 'db/performance/tables?limit=200', schema: TABLES },
  connections: { path: 'db/performance/connections', schema: CONNECTIONS },
  locks: { path: 'db/locks', schema: LOCKS },
  backups: { path: 'db/backups/latest', schema: BACKUPS },
  sync: { path: 'db/sync/status', schema: SYNC },
  cache: { path: 'cache/stats', schema: CACHE },
  held: { path: 'positions?status=open&limit=100', schema: HELD },
} as const

/** The name of one part of the picture. */
export type Section = keyof typeof SECTIONS

/** Everything that is looked at before anything is decided, as it was at one moment. */
export type Snapshot = {
  readonly [S in Section]: Seen<z.output<(typeof SECTIONS)[S]['schema']>>
} & {
  /** When it was taken, ISO 8601. */
  readonly at: string
}

/** One finding of monitoring. */
export type SeenFinding = z.output<typeof FINDINGS>['findings'][number]

/** How a resource is read: its JSON, or why it cannot be. */
export type Reader = (path: string) => Promise<Seen<unknown>>

/** Looks at everything; what cannot be read, or not be understood, is unknown with its reason. */
export async function observe(read: Reader, now: Date): Promise<Snapshot> {
  const names = Object.keys(SECTIONS) as Section[]
  const seen = await Promise.all(names.map((name) => look(name, read)))
  const sections = Object.fromEntries(names.map((name, index) => [name, seen[index]]))
  // Each section is the output of its own schema; `fromEntries` forgets which is which.
  return { ...sections, at: now.toISOString() } as Snapshot
}

/** The same picture with some of its parts looked at again. */
export async function lookAgain(
  before: Snapshot,
  names: readonly Section[],
  read: Reader,
  now: Date,
): Promise<Snapshot> {
  const seen = await Promise.all(names.map((name) => look(name, read)))
  const sections = Object.fromEntries(names.map((name, index) => [name, seen[index]]))
  return { ...before, ...sections, at: now.toISOString() } as Snapshot
}

async function look(name: Section, read: Reader): Promise<Seen<unknown>> {
  const { path, schema } = SECTIONS[name]
  const seen = await read(path)
  if (!seen.known) return seen
  const parsed = schema.safeParse(seen.value)
  if (parsed.success) return { known: true, value: parsed.data }
  return { known: false, reason: `${path} answered something else than expected.` }
}

/** What is not known, and why. */
export const unknowns = (snapshot: Snapshot): { what: string; reason: string }[] =>
  (Object.keys(SECTIONS) as Section[]).flatMap((name) => {
    const seen = snapshot[name]
    return seen.known
      ? []
      : [{ what: SECTIONS[name].path.split('?')[0] ?? name, reason: seen.reason }]
  })
