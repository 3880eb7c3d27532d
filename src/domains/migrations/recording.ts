import { ref } from '../../lib/refs.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { insertOutbox } from '../../platform/postgres/outbox.js'
import type { Migration } from './files.js'
import type { HistoryEntry, MigrationActor } from './report.js'
import { changedObjects } from './schema-changes.js'
import type { Script } from './script.js'
import * as ledger from './sql.js'

/** What was done to one migration. */
export interface Fact {
  readonly version: number
  readonly name: string
  readonly direction: HistoryEntry['direction']
  readonly checksum: string | null
  readonly durationMs: number
  /** What was run; null when only the ledger changed. */
  readonly script: Script | null
  readonly note: string | null
}

/** Who did it, with which build. */
export interface Author {
  readonly session: DirectSession
  readonly actor: MigrationActor
  readonly appVersion: string
}

/** So many names say enough of a change; the file says the rest. */
const MAX_OBJECTS = 50

/** Writes log and events of a fact, in the transaction that makes it. */
export async function recordFact(
  { session, actor, appVersion }: Author,
  fact: Fact,
): Promise<void> {
  const { version, name, direction, durationMs, script } = fact
  await session.many(ledger.appendLog({ ...fact, ...actor, appVersion }))
  const [outbox] = await session.many(ledger.hasOutbox())
  // Migration 1 makes the tables of events, and its down script removes them.
  if (!outbox?.present) return
  const refs = [ref('migration', version)]
  const event = { version, name, direction, duration_ms: durationMs, by: actor.by, refs }
  await session.many(insertOutbox('migration.applied', event))
  const objects = script ? changedObjects(script.steps.map(({ statement }) => statement)) : []
  if (objects.length === 0) return
  const named = objects.slice(0, MAX_OBJECTS)
  const changed = {
    version,
    objects: named,
    refs: named.map((object) => ref('schema_object', object)),
  }
  await session.many(insertOutbox('db.schema.changed', changed))
}

/** Writes that a migration is applied: its ledger row, the log and the events. */
export async function recordUp(
  author: Author,
  migration: Migration,
  run: { readonly script: Script; readonly durationMs: number },
): Promise<void> {
  const { session, actor, appVersion } = author
  const { script, durationMs } = run
  const statements = script.steps.length
  const written = { statements, durationMs, by: actor.by, appVersion }
  await session.many(ledger.recordApplied(migration, written))
  const { version, name, upSha256: checksum } = migration
  await recordFact(author, {
    version,
    name,
    direction: 'up',
    checksum,
    durationMs,
    script,
    note: null,
  })
}

/** Takes a migration that was rolled back out of the ledger; the log keeps it. */
export async function recordDown(
  author: Author,
  row: ledger.LedgerRow,
  run: { readonly script: Script; readonly durationMs: number },
): Promise<void> {
  const { version, name, checksum } = row
  await author.session.many(ledger.removeMigration(version))
  await recordFact(author, { version, name, checksum, ...run, direction: 'down', note: null })
}
