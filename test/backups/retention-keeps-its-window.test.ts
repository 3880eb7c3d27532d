import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Archive } from '../../src/domains/backups/archive/archive.js'
import { newBackupId } from '../../src/domains/backups/archive/keys.js'
import type { FullManifest } from '../../src/domains/backups/archive/manifest.js'
import { prune } from '../../src/domains/backups/retention/prune.js'
import { DirectoryStore } from '../../src/platform/objects/directory.js'

const HOUR_MS = 3_600_000
const NOW = Date.parse('2026-11-30T12:00:00Z')
const SHA = '0'.repeat(64)

/** A history: at each hour before now perhaps a full backup, a hole in the log, a barrier. */
const HISTORY = fc.array(
  fc.record({
    full: fc.constantFrom('none', 'none', 'in the log', 'alone'),
    isVerified: fc.boolean(),
    isHole: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    isBarred: fc.integer({ min: 0, max: 11 }).map((n) => n === 0),
  }),
  { minLength: 3, maxLength: 30 },
)
type Hour = typeof HISTORY extends fc.Arbitrary<(infer H)[]> ? H : never

const timeOf = (hour: number, hours: number): Date => new Date(NOW - (hours - hour) * HOUR_MS)
/** The log is where the clock is: a thousand bytes an hour. */
const lsnOf = (hour: number): bigint => BigInt(hour + 1) * 1_000n

async function write(archive: Archive, history: readonly Hour[]): Promise<void> {
  const about = {
    archive_id: archive.id,
    tool: { name: 'test', version: '0' },
    codec: 'none' as const,
    encryption: null,
  }
  for (const [hour, { full, isVerified, isHole, isBarred }] of history.entries()) {
    const at = timeOf(hour, history.length)
    const time = at.toISOString()
    if (full !== 'none') {
      const backup_id = newBackupId('full', at)
      const { keys, objects } = archive
      const texts = [
        { key: keys.schema(backup_id, 'pre', ''), role: 'schema-pre' as const },
        { key: keys.schema(backup_id, 'post', ''), role: 'schema-post' as const },
        { key: keys.catalog(backup_id, ''), role: 'catalog' as const },
      ]
      for (const { key } of texts) await objects.put(key, Buffer.from('x'))
      await archive.putManifest({
        ...about,
        type: 'full',
        backup_id,
        server: {
          version_num: 180_000,
          system_identifier: '1',
          timeline: 1,
          database: 'd',
          db_oid: 1,
          encoding: 'UTF8',
          collate: 'C',
          ctype: 'C',
          locale_provider: 'c',
          locale: null,
        },
        started_at: time,
        finished_at: time,
        issues: [],
        consistent: true,
        snapshot: { lsn: lsnOf(hour), time, in_log: full === 'in the log' },
        objects: texts.map((one) => ({
          ...one,
          plain_bytes: 1,
          stored_bytes: 1,
          plain_sha256: SHA,
          stored_sha256: SHA,
        })),
        totals: { tables: 0, rows: 0, plain_bytes: 3, stored_bytes: 3 },
        schema_fingerprint: 'f',
      })
      if (isVerified) {
        await archive.putVerification({
          archive_id: archive.id,
          backup_id,
          level: 'content',
          valid: true,
          issues: [],
          verified_at: time,
          restore_ms: null,
        })
      }
    }
    const span = { start: lsnOf(hour), end: lsnOf(hour + 1) }
    if (!isHole) {
      const key = archive.keys.segment(span, '')
      await archive.objects.put(key, Buffer.from('x'))
      await archive.putSidecar({
        archive_id: archive.id,
        key,
        system_identifier: '1',
        timeline: 1,
        start_lsn: span.start,
        end_lsn: span.end,
        commits: 0,
        first_commit: null,
        last_commit: null,
        covered_until: timeOf(hour + 1, history.length).toISOString(),
        max_time_backstep_us: 0,
        relations: [],
        has_ddl: false,
        schema_fingerprint: null,
        not_logged_sha256: null,
        codec: 'none',
        encryption: null,
        plain_bytes: 1,
        stored_bytes: 1,
        plain_sha256: SHA,
        stored_sha256: SHA,
      })
    }
    if (isBarred) {
      await archive.putBarrier({
        archive_id: archive.id,
        lsn: span.start + 500n,
        at: time,
        kind: 'opaque_ddl',
        reason: 'r',
      })
    }
  }
}

/** Whether the middle of each hour can be restored, worked out from the store by the rules alone. */
async function restorable(archive: Archive, hours: number): Promise<boolean[]> {
  const fulls: FullManifest[] = []
  for await (const full of archive.fulls()) fulls.push(full)
  const segments: { start: bigint; end: bigint }[] = []
  for await (const segment of archive.segments()) segments.push(segment)
  const barriers = await archive.barriers()
  return Array.from({ length: hours }, (_, hour) => {
    const at = lsnOf(hour) + 400n
    return fulls.some(({ snapshot }) => {
      if (!snapshot.in_log || snapshot.lsn > at) return false
      if (barriers.some(({ lsn }) => lsn > snapshot.lsn && lsn <= at)) return false
      for (let place = snapshot.lsn; place <= at; place += 1_000n) {
        if (!segments.some(({ start }) => start === place)) return false
      }
      return true
    })
  })
}

test('after any history every instant of the window that could be restored still can be, and no more is kept for it', async () => {
  await fc.assert(
    fc.asyncProperty(
      HISTORY,
      fc.record({
        keep_fulls: fc.integer({ min: 1, max: 4 }),
        keep_days: fc.integer({ min: 1, max: 30 }).map((h) => h / 24),
      }),
      async (history, policy) => {
        const dir = mkdtempSync(join(tmpdir(), 'retention-'))
        try {
          const objects = new DirectoryStore(pathToFileURL(dir).href)
          const archive = await Archive.create(objects, {
            archive_id: randomUUID(),
            created_at: '2026-11-01T00:00:00Z',
            system_identifier: '1',
            database: 'd',
            db_oid: 1,
          })
          await write(archive, history)
          const before = await restorable(archive, history.length)
          const verified = await newestVerified(archive)
          const fulls = (await archive.backupIds('full')).length
          const deps = {
            archive,
            policy,
            clock: { now: () => new Date(NOW) },
            signal: new AbortController().signal,
          }
          const planned = await prune({ ...deps, dryRun: true })
          expect(await restorable(archive, history.length)).toEqual(before)
          const done = await prune({ ...deps, dryRun: false })
          expect(done).toEqual(planned)
          const after = await restorable(archive, history.length)
          const begin = NOW - policy.keep_days * 24 * HOUR_MS
          for (const [hour, could] of before.entries()) {
            const isWithin = timeOf(hour, history.length).getTime() >= begin
            if (isWithin && could) expect(after[hour]).toBe(true)
          }
          const left = await archive.backupIds('full')
          expect(left.length).toBeGreaterThanOrEqual(Math.min(fulls, policy.keep_fulls))
          if (verified) expect(left).toContain(verified)
          const again = await prune({ ...deps, dryRun: false })
          expect(again).toMatchObject({ expired: [], segments: 0, freed_bytes: 0 })
        } finally {
          rmSync(dir, { recursive: true, force: true })
        }
      },
    ),
    { numRuns: 25 },
  )
})

async function newestVerified(archive: Archive): Promise<string | null> {
  for (const id of await archive.backupIds('full')) {
    if ((await archive.verifications(id)).length > 0) return id
  }
  return null
}
