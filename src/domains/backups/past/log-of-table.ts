import type { Readable } from 'node:stream'
import { AppError } from '../../../errors.js'
import { instantOf, microsecondsOf } from '../../../lib/microseconds.js'
import {
  decode,
  type LoggedMessage,
  type LoggedRelation,
} from '../../../platform/postgres/replication/pgoutput.js'
import type { Archive } from '../archive/archive.js'
import type { FullManifest, Sidecar } from '../archive/manifest.js'
import { frameBatches } from '../archive/segment.js'
import type { Catalog } from '../full/catalog.js'
import { openObject, readCatalog, type Source } from '../restore/load.js'

/** A table by its name. */
export interface TableName {
  readonly schema: string
  readonly name: string
}

/** What a transaction did to a table. */
export interface TableChange {
  readonly relation: LoggedRelation
  readonly message: Extract<LoggedMessage, { kind: 'insert' | 'update' | 'delete' | 'truncate' }>
  /** Where its transaction commits, and when. */
  readonly lsn: bigint
  readonly us: number
  readonly xid: number
}

/** From where the log is read. */
export interface PastBase {
  readonly full: FullManifest
  readonly catalog: Catalog
}

/** Barriers behind which rows themselves may be missing, not only the schema. */
const LACKS_ROWS: readonly string[] = ['gap', 'log_dropped', 'unpublished_table', 'restore_swap']
/** Commits are in the order of the log, and their clocks nearly are. */
const CLOCK_SLACK_US = 10_000_000

/**
 * The newest full backup that was taken before an instant, with what it says of the database.
 *
 * @throws AppError `precondition_failed` that names what can be looked at
 */
export async function baseFor(source: Source, us: number): Promise<PastBase> {
  let oldest: FullManifest | null = null
  for await (const full of source.archive.fulls()) {
    oldest = full
    if (microsecondsOf(full.snapshot.time) <= us) {
      return { full, catalog: await readCatalog(source, full) }
    }
  }
  throw new AppError(
    'precondition_failed',
    oldest ? 'That is before the oldest full backup.' : 'There is no full backup yet.',
    { hint: oldest ? `Ask for ${oldest.snapshot.time} or later.` : 'Call create_backup first.' },
  )
}

/** Segments that lead from a full backup over an instant, without a gap. @throws AppError `precondition_failed` */
export async function segmentsTo(
  archive: Archive,
  full: FullManifest,
  us: number,
): Promise<Sidecar[]> {
  const barriers = await archive.barriers()
  const segments: Sidecar[] = []
  let end = full.snapshot.lsn
  let covered = microsecondsOf(full.snapshot.time)
  for await (const sidecar of archive.sidecars(full.snapshot.lsn)) {
    if (sidecar.start_lsn > end) break
    const isBarred = barriers.some(
      ({ lsn, kind }) =>
        LACKS_ROWS.includes(kind) && lsn >= full.snapshot.lsn && lsn < sidecar.end_lsn,
    )
    if (isBarred) break
    segments.push(sidecar)
    end = sidecar.end_lsn
    covered = Math.max(covered, microsecondsOf(sidecar.covered_until))
    const first = sidecar.first_commit
    if (first && microsecondsOf(first.time) > us + CLOCK_SLACK_US) return segments
  }
  if (covered >= us) return segments
  throw new AppError('precondition_failed', 'The log does not reach that instant.', {
    hint: `From the full backup of ${full.snapshot.time} it reaches until ${instantOf(covered)}.`,
  })
}

/**
 * Changes of one table, in the order of the log, up to an instant. Segments that have none are not read.
 *
 * @throws ObjectDamaged, or AppError `precondition_failed` when no identity opens them
 */
export async function* changesOf(
  source: Source,
  table: TableName,
  {
    base,
    segments,
    untilUs,
    fromUs = 0,
  }: {
    readonly base: PastBase
    readonly segments: readonly Sidecar[]
    readonly untilUs: number
    readonly fromUs?: number
  },
): AsyncIterable<TableChange> {
  const known = new Map(base.catalog.tables.map((one) => [one.oid, isOf(one, table)]))
  for (const segment of segments) {
    // What is not in the catalog was made since, and tells its name in the log.
    if (!segment.relations.some((oid) => known.get(oid) ?? true)) continue
    const last = segment.last_commit
    if (last && microsecondsOf(last.time) < fromUs - CLOCK_SLACK_US) continue
    const reader = new TableReader(table, base.full.snapshot.lsn, known)
    for await (const batch of frameBatches(await openObject(source, segment, segment))) {
      source.signal.throwIfAborted()
      for (const { message } of batch) {
        const change = reader.take(message)
        if (change === 'later') continue
        if (reader.us > untilUs) return
        if (change) yield change
      }
    }
  }
}

/** The table itself, or one of its partitions. */
export const isOf = (
  { schema, name, parents }: Catalog['tables'][number],
  table: TableName,
): boolean => (schema === table.schema && name === table.name) || parents.includes(quoted(table))

const quoted = ({ schema, name }: TableName): string => `${ident(schema)}.${ident(name)}`

/** As `format('%I')` does with names that are no keywords. */
const ident = (name: string): string =>
  /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`

const [BEGIN, RELATION, INSERT, UPDATE, DELETE, TRUNCATE] = Array.from('BRIUDT', (letter) =>
  letter.charCodeAt(0),
)

/** Decodes only what is of one table: most of the log is not. */
class TableReader {
  readonly #table: TableName
  readonly #from: bigint
  readonly #known: Map<number, boolean>
  readonly #relations = new Map<number, LoggedRelation>()
  #lsn = 0n
  #xid = 0
  us = 0

  constructor(table: TableName, from: bigint, known: Map<number, boolean>) {
    this.#table = table
    this.#from = from
    this.#known = known
  }

  take(message: Buffer): TableChange | null | 'later' {
    switch (message[0]) {
      case BEGIN: {
        const begin = decode(message)
        if (begin.kind !== 'begin') return null
        this.#lsn = begin.commitLsn
        this.#xid = begin.xid
        // What is in the full backup is not done again, and its time says nothing.
        if (this.#lsn < this.#from) return 'later'
        this.us = begin.committedUs
        return null
      }
      case RELATION: {
        const relation = decode(message)
        if (relation.kind !== 'relation') return null
        const isNamed = relation.schema === this.#table.schema && relation.name === this.#table.name
        const isMeant = isNamed || this.#known.get(relation.id) === true
        this.#known.set(relation.id, isMeant)
        if (isMeant) this.#relations.set(relation.id, relation)
        return 'later'
      }
      case INSERT:
      case UPDATE:
      case DELETE:
        return this.#change(this.#relations.get(message.readUInt32BE(1)), message)
      case TRUNCATE: {
        const ids = Array.from({ length: message.readUInt32BE(1) }, (_, at) =>
          message.readUInt32BE(6 + 4 * at),
        )
        const id = ids.find((one) => this.#relations.has(one))
        return this.#change(id === undefined ? undefined : this.#relations.get(id), message)
      }
      default:
        return 'later'
    }
  }

  #change(relation: LoggedRelation | undefined, message: Buffer): TableChange | 'later' {
    if (!relation || this.#lsn < this.#from) return 'later'
    const decoded = decode(message)
    switch (decoded.kind) {
      case 'insert':
      case 'update':
      case 'delete':
      case 'truncate':
        return { relation, message: decoded, lsn: this.#lsn, us: this.us, xid: this.#xid }
      default:
        return 'later'
    }
  }
}

/** The rows of tables as a full backup holds them, one object after the other. */
export async function* storedRows(
  source: Source,
  { full, catalog }: PastBase,
  table: TableName,
): AsyncIterable<{
  readonly columns: readonly string[]
  readonly oid: number
  readonly format: 'binary' | 'text'
  readonly bytes: Readable
}> {
  for (const one of catalog.tables) {
    if (!isOf(one, table)) continue
    for (const object of full.objects) {
      if (object.role !== 'data' || object.table_oid !== one.oid) continue
      const bytes = await openObject(source, full, object)
      const format = object.copy_format ?? 'text'
      yield { columns: one.columns, oid: one.oid, format, bytes }
    }
  }
}
