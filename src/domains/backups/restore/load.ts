import { createHash } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { AppError } from '../../../errors.js'
import { ObjectDamaged, open } from '../../../platform/objects/pipeline.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { sqlState } from '../../../platform/postgres/errors.js'
import type { Archive } from '../archive/archive.js'
import type { BackupObject, FullManifest, Sidecar } from '../archive/manifest.js'
import { CATALOG, type Catalog } from '../full/catalog.js'
import { loadInto } from './load.sql.js'
import { RESTORER } from './side.js'

/** A stored backup with what opens it. */
export interface Source {
  readonly archive: Archive
  readonly identities: readonly string[]
  readonly signal: AbortSignal
}

/** The content of an object of a backup; its stream fails at the end when it is not what was stored. */
export const openObject = (
  { archive, identities, signal }: Source,
  { codec, encryption }: Pick<FullManifest, 'codec' | 'encryption'>,
  object: BackupObject | Sidecar,
) =>
  open(
    archive.objects,
    object.key,
    { codec, encrypted: encryption !== null, identities, signal: AbortSignal.any([signal]) },
    object,
  )

/** What a full backup says of its database. */
export async function readCatalog(source: Source, full: FullManifest): Promise<Catalog> {
  return CATALOG.parse(JSON.parse(await readText(source, full, 'catalog')))
}

/** One of the texts of a full backup. */
export async function readText(
  source: Source,
  full: FullManifest,
  role: 'schema-pre' | 'schema-post' | 'catalog',
): Promise<string> {
  const object = full.objects.find((one) => one.role === role)
  if (!object) {
    const key = source.archive.keys.manifest(full.backup_id)
    throw new ObjectDamaged(key, `it has no ${role}`)
  }
  return text(await openObject(source, full, object))
}

/**
 * Reads all that a restore will need and compares it with its sums, before anything is made.
 *
 * @throws ObjectDamaged, or AppError `precondition_failed` when no identity opens it
 */
export async function inspect(
  source: Source,
  full: FullManifest,
  objects: readonly (BackupObject | Sidecar)[],
  checked: (bytes: number) => void,
): Promise<void> {
  const { archive, signal } = source
  const waiting = [...objects]
  const look = async (): Promise<void> => {
    for (let object = waiting.shift(); object; object = waiting.shift()) {
      const hash = createHash('sha256')
      let bytes = 0
      for await (const chunk of await archive.objects.get(object.key, {
        signal: AbortSignal.any([signal]),
      })) {
        hash.update(chunk)
        bytes += chunk.length
      }
      if (bytes !== object.stored_bytes || hash.digest('hex') !== object.stored_sha256) {
        throw new ObjectDamaged(object.key, 'its SHA-256 is another')
      }
      const { encryption } = 'encryption' in object ? object : full
      if (encryption) await isOpened(source, full, object)
      checked(bytes)
    }
  }
  await Promise.all([look(), look()])
}

/** Its first bytes are enough to know whether it is opened. */
async function isOpened(source: Source, full: FullManifest, object: BackupObject | Sidecar) {
  const sealed = 'encryption' in object ? object : full
  for await (const _ of await openObject(source, sealed, object)) return
}

interface LoadOptions {
  readonly source: Source
  readonly full: FullManifest
  readonly catalog: Catalog
  readonly endpoint: Endpoint
  readonly database: string
  readonly workers: number
  /** Whose rows are loaded. */
  readonly objects: readonly BackupObject[]
  readonly loaded: (bytes: number) => void
}

/**
 * Loads the rows of tables that are there and empty; answers how many, by the oid that a table had.
 *
 * @throws AppError `integrity_violation` when they are not as many as were stored
 */
export async function loadRows(options: LoadOptions): Promise<Map<number, number>> {
  const { source, full, catalog, endpoint, database, loaded } = options
  const tables = new Map(catalog.tables.map((table) => [table.oid, table]))
  const waiting = [...options.objects].sort((a, b) => b.plain_bytes - a.plain_bytes)
  const rows = new Map<number, number>()
  const load = () =>
    DirectSession.use(
      endpoint,
      async (session) => {
        await session.command('set synchronous_commit = off')
        for (let object = waiting.shift(); object; object = waiting.shift()) {
          const table = tables.get(object.table_oid ?? 0)
          if (!table) throw new ObjectDamaged(object.key, 'it is of a table that is not known')
          source.signal.throwIfAborted()
          const stored = await session.copyIn(
            loadInto(table, object.copy_format ?? 'binary'),
            await openObject(source, full, object),
            AbortSignal.any([source.signal]),
          )
          if (stored !== object.rows) {
            throw new ObjectDamaged(object.key, `it has ${stored} rows instead of ${object.rows}`)
          }
          rows.set(table.oid, (rows.get(table.oid) ?? 0) + stored)
          loaded(object.plain_bytes)
        }
      },
      { name: RESTORER, database },
    )
  const loading = Array.from({ length: options.workers }, load)
  try {
    await Promise.all(loading)
  } catch (error) {
    waiting.length = 0
    await Promise.allSettled(loading)
    throw notLoaded(error)
  }
  return rows
}

function notLoaded(error: unknown): unknown {
  const cause = error instanceof AppError ? error.cause : error
  if (!sqlState(cause)) return error
  return new AppError('integrity_violation', 'The rows of the backup do not fit its tables.', {
    hint: 'Nothing was changed. Verify the backup; the log of this server has what PostgreSQL said.',
    cause: error,
  })
}
