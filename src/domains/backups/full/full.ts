import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { AppError } from '../../../errors.js'
import { VERSION } from '../../../lib/version.js'
import { type Codec, type Sealed, store } from '../../../platform/objects/pipeline.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { schemaText } from '../../../platform/postgres/dump/schema-text.js'
import { isLockTimeout } from '../../../platform/postgres/errors.js'
import { sql } from '../../../platform/postgres/sql.js'
import type { Archive } from '../archive/archive.js'
import { suffix } from '../archive/keys.js'
import type { BackupObject, FullManifest, Unsigned } from '../archive/manifest.js'
import { restorableFingerprint } from '../capture/fingerprint.sql.js'
import { Progress } from '../progress.js'
import { CATALOG, type Catalog } from './catalog.js'
import {
  copyOf,
  facts,
  lockForReading,
  movedTables,
  sequences,
  type TableRow,
  tablesToCopy,
} from './catalog.sql.js'
import { issuesOf } from './issues.js'
import { partsOf } from './parts.js'
import { serverFacts } from './server.sql.js'
import { type Snapshot, takeSnapshot } from './snapshot.js'

/** What a full backup is taken from and put into. */
interface FullRequest {
  readonly backupId: string
  readonly endpoint: Endpoint
  readonly archive: Archive
  /** Whether the log goes on from it: logical decoding is allowed, and the log has begun. */
  readonly inLog: boolean
  readonly codec: Codec
  /** age public keys; none: it is not encrypted. */
  readonly recipients: readonly string[]
  /** Tables that are copied at a time. */
  readonly workers: number
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
  /** Named places at which a test may end the process. */
  readonly step?: (name: string) => unknown
}

type FullDeps = Omit<FullRequest, 'progress'> & { readonly progress: Progress }

/** A schema that is changed all the time cannot be read as a whole. */
const ATTEMPTS = 8
const REST_MS = 200
const SESSION = 'catalyst-db backup'

/** What is stored of a full backup before its manifest makes it one. */
interface Copied {
  readonly objects: BackupObject[]
  readonly catalog: Catalog
}

/**
 * Takes a full backup: one state of all tables, and what makes them anew. It exists once its manifest does,
 * which is written last.
 *
 * @throws AppError; whatever was stored until then is no backup
 */
export async function takeFull(request: FullRequest): Promise<FullManifest> {
  const { backupId, endpoint, archive, signal, step } = request
  const progress = new Progress((done, total, message) => request.progress(done, total, message))
  const deps = { ...request, progress }
  const startedAt = await clockOf(endpoint)
  progress.phase('Reading the schema', 0.05)
  const taken = await begin(deps)
  try {
    await step?.('full:snapshot')
    const { objects, catalog } = await copyAll(taken, deps)
    progress.phase('Writing the manifest', 0.99)
    await step?.('full:before-manifest')
    signal.throwIfAborted()
    const { server, finished_at } = await DirectSession.use(
      endpoint,
      async (session) => {
        const [server] = await session.many(serverFacts())
        if (!server) throw new Error('a server did not say what it is')
        return { server, finished_at: await timeOf(session) }
      },
      { name: SESSION },
    )
    const manifest: Unsigned<FullManifest> = {
      type: 'full',
      backup_id: backupId,
      archive_id: archive.id,
      tool: { name: 'catalyst-db', version: VERSION },
      server,
      snapshot: { lsn: taken.snapshot.lsn, time: taken.snapshot.time, in_log: deps.inLog },
      started_at: startedAt,
      finished_at,
      codec: deps.codec,
      encryption: encryptionOf(deps.recipients),
      objects,
      totals: totalsOf(objects, catalog),
      schema_fingerprint: catalog.schema_fingerprint,
      issues: issuesOf(taken.facts, taken.tables, deps.inLog),
      consistent: true,
    }
    await archive.putManifest(manifest)
    await step?.('full:after-manifest')
    const stored = await archive.manifest(backupId)
    if (stored.type !== 'full') throw new Error('a full backup is none')
    return stored
  } finally {
    await taken.close()
  }
}

/** What was fixed at the beginning. */
interface Begun {
  readonly snapshot: Pick<Snapshot, 'lsn' | 'time'>
  readonly sessions: readonly DirectSession[]
  readonly tables: readonly TableRow[]
  readonly facts: Awaited<ReturnType<typeof readFacts>>
  readonly fingerprint: string
  readonly schema: { readonly pre: string; readonly post: string }
  close(): Promise<void>
}

/**
 * Begins again when the schema changed while it was read, for it would not be that of the rows, or when somebody
 * waits for a table alone: whoever comes after them waits as well.
 */
async function begin(deps: FullDeps): Promise<Begun> {
  for (let attempt = 1; ; attempt++) {
    const begun = await attemptToBegin(deps).catch((error: unknown) => {
      if (isLockTimeout(error) && attempt < ATTEMPTS) return null
      throw error
    })
    if (begun) return begun
    if (attempt === ATTEMPTS) {
      throw new AppError('conflict', 'Tables kept being changed while the backup began.', {
        hint: 'Nothing was kept. Call again when migrations have ended.',
        retryable: true,
      })
    }
    await delay(attempt * REST_MS, undefined, { signal: deps.signal })
  }
}

async function attemptToBegin(deps: FullDeps): Promise<Begun | null> {
  const { endpoint, signal } = deps
  const sessions: DirectSession[] = []
  const close = async (): Promise<void> => {
    await Promise.all(sessions.map((session) => session.close()))
  }
  const snapshot = await takeSnapshot(endpoint, deps.inLog)
  try {
    for (let worker = 0; worker < deps.workers; worker++) {
      const session = await DirectSession.open(endpoint, { name: SESSION })
      sessions.push(session)
      await session.command('set row_security = off')
      await session.command('begin isolation level repeatable read read only')
      await session.many(sql.trusted(`set transaction snapshot '${snapshot.id}'`))
    }
    const [first] = sessions
    if (!first) throw new Error('no worker')
    const before = await fingerprintOf(first)
    const tables = await first.many(tablesToCopy())
    await first.command("set local lock_timeout = '30s'")
    for (const session of tables.length > 0 ? sessions : []) {
      // The first may wait for others; the next would wait for who waits for the first.
      await session.many(lockForReading(tables, session !== first))
    }
    const [moved] = await first.many(movedTables())
    const found = await readFacts(first)
    const [server] = await first.many(serverFacts())
    const serverMajor = Math.trunc((server?.version_num ?? 0) / 10_000)
    const dump = (session: DirectSession, section: 'pre-data' | 'post-data') =>
      schemaText(session, { section, serverMajor }, signal)
    const [, second] = sessions
    const pre = dump(first, 'pre-data')
    const post = second ? dump(second, 'post-data') : pre.then(() => dump(first, 'post-data'))
    const [preText, postText] = await Promise.all([pre, post])
    const after = await DirectSession.use(endpoint, fingerprintOf, { name: SESSION })
    if (before !== after || (moved?.tables ?? 0) > 0) {
      await close()
      return null
    }
    return {
      snapshot,
      sessions,
      tables,
      facts: found,
      fingerprint: before,
      schema: { pre: preText, post: postText },
      close,
    }
  } catch (error) {
    await close()
    throw error
  } finally {
    await snapshot.close()
  }
}

/** What the schema is, as a restored database can be compared with it. */
const fingerprintOf = async (session: DirectSession): Promise<string> => {
  const [row] = await session.many(
    sql<{ fingerprint: string }>`select ${restorableFingerprint()} as fingerprint`,
  )
  return String(row?.fingerprint)
}

const readFacts = async (session: DirectSession) => {
  const [found] = await session.many(facts())
  if (!found) throw new Error('a server did not say what it has')
  return found
}

async function copyAll(begun: Begun, deps: FullDeps): Promise<Copied> {
  const { backupId, archive, codec, recipients, signal, progress, step } = deps
  const ending = suffix({ codec, encrypted: recipients.length > 0 })
  // A signal of its own each: streams leave their listeners on the one they are given.
  const put = (key: string, source: Readable): Promise<Sealed> =>
    store(archive.objects, key, source, { codec, recipients, signal: AbortSignal.any([signal]) })
  const putText = async (
    role: BackupObject['role'],
    key: string,
    text: string,
  ): Promise<BackupObject> => ({
    key,
    role,
    ...(await put(key, Readable.from([Buffer.from(text)], { objectMode: false }))),
  })
  const objects: BackupObject[] = [
    await putText('schema-pre', archive.keys.schema(backupId, 'pre', ending), begun.schema.pre),
    await putText('schema-post', archive.keys.schema(backupId, 'post', ending), begun.schema.post),
  ]
  await step?.('full:schema-stored')
  progress.phase('Copying tables', 0.95)
  const waiting = partsOf(begun.tables)
  const total = waiting.reduce((sum, { bytes }) => sum + bytes, 0)
  const rows = new Map<number, number>()
  let done = 0
  const copy = async (session: DirectSession): Promise<void> => {
    for (let part = waiting.shift(); part; part = waiting.shift()) {
      const { table, number, bytes } = part
      const key = archive.keys.data(backupId, table.oid, number, ending)
      const source = session.copyOut(copyOf(table, part.pages))
      let read = 0
      const seen = counted(source, (more) => {
        read += more
        progress.at((done + Math.min(read, bytes)) / total)
      })
      const sealed = await put(key, seen)
      done += bytes
      rows.set(table.oid, (rows.get(table.oid) ?? 0) + source.rowCount)
      objects.push({
        key,
        role: 'data',
        table_oid: table.oid,
        part: number,
        copy_format: table.is_binary ? 'binary' : 'text',
        rows: source.rowCount,
        ...sealed,
      })
      await step?.('full:part-stored')
    }
  }
  const copying = begun.sessions.map(copy)
  try {
    await Promise.all(copying)
  } finally {
    // Those that still copy must not outlive the failure of one: their sources end with their sessions.
    waiting.length = 0
    await begun.close()
    await Promise.allSettled(copying)
  }
  const catalog = await readCatalog(begun, rows, deps)
  const text = JSON.stringify(CATALOG.parse(catalog))
  objects.push(await putText('catalog', archive.keys.catalog(backupId, ending), text))
  return { objects, catalog }
}

/** Sequences are read last: what they gave out to rows of the snapshot they gave out before. */
async function readCatalog(
  begun: Begun,
  rows: ReadonlyMap<number, number>,
  { endpoint }: FullDeps,
): Promise<Catalog> {
  const found = await DirectSession.use(endpoint, (session) => session.many(sequences()), {
    name: SESSION,
  })
  return {
    format: 'cdb-catalog/1',
    tables: begun.tables.map(({ bytes: _bytes, pages: _pages, ...table }) => ({
      ...table,
      columns: [...table.columns],
      parents: [...table.parents],
      rows: rows.get(table.oid) ?? 0,
    })),
    sequences: found,
    extensions: [...begun.facts.extensions],
    roles: [...begun.facts.roles],
    bytes: begun.facts.bytes,
    schema_fingerprint: begun.fingerprint,
  }
}

/** What flows by, as it flows. */
function counted(source: Readable, more: (bytes: number) => void): Readable {
  return Readable.from(
    (async function* () {
      for await (const chunk of source) {
        more(chunk.length)
        yield chunk
      }
    })(),
    { objectMode: false },
  )
}

const totalsOf = (objects: readonly BackupObject[], catalog: Catalog) => ({
  tables: catalog.tables.length,
  rows: catalog.tables.reduce((sum, { rows }) => sum + rows, 0),
  plain_bytes: objects.reduce((sum, { plain_bytes }) => sum + plain_bytes, 0),
  stored_bytes: objects.reduce((sum, { stored_bytes }) => sum + stored_bytes, 0),
})

/** Who can open it, so that a change of recipients is seen; the keys themselves are public. */
const encryptionOf = (recipients: readonly string[]) =>
  recipients.length === 0
    ? null
    : {
        scheme: 'age-v1' as const,
        recipients_fp: recipients.map((recipient) =>
          createHash('sha256').update(recipient).digest('hex').slice(0, 16),
        ),
      }

const timeOf = async (session: DirectSession): Promise<string> => {
  const [row] = await session.many(sql<{ now: string }>`select clock_timestamp() as now`)
  return String(row?.now)
}

const clockOf = (endpoint: Endpoint): Promise<string> =>
  DirectSession.use(endpoint, timeOf, { name: SESSION })
