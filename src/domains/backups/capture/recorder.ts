import { once } from 'node:events'
import { createWriteStream, type WriteStream } from 'node:fs'
import { AppError } from '../../../errors.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import { decode, type LoggedRelation } from '../../../platform/postgres/replication/pgoutput.js'
import { frameBytes, headerBytes, type SegmentHeader, trailerBytes } from '../archive/segment.js'
import { type Mark, type SchemaChange, Signs } from '../archive/signs.js'

/** The folder for the log on its way cannot be used; PostgreSQL keeps what was on its way, and sends it again. */
export class SpoolFailed extends AppError {
  constructor(cause: unknown) {
    const code: unknown = Reflect.get(Object(cause), 'code')
    super(
      'unavailable',
      `The folder spool of CATALYST_DATA_DIR cannot be used (${typeof code === 'string' ? code : 'unknown'}): the log waits with PostgreSQL.`,
      {
        hint: 'Let it be written, with room on its disk, and let nobody clean it: the log goes on by itself.',
        cause,
      },
    )
  }
}

interface Commit {
  readonly lsn: bigint
  readonly us: number
}

/** A segment that is complete in the spool. */
export interface Recorded {
  readonly file: string
  readonly start: bigint
  readonly end: bigint
  readonly commits: number
  readonly first: Commit | null
  readonly last: Commit | null
  readonly maxBackstepUs: number
  readonly relations: readonly number[]
  /** In their order, with where the transaction commits in which they are. */
  readonly signs: readonly RecordedSign[]
}

type RecordedSign =
  | { readonly kind: 'mark'; readonly lsn: bigint; readonly mark: Mark }
  | { readonly kind: 'schema'; readonly lsn: bigint; readonly change: SchemaChange }

interface RecorderOptions {
  readonly header: Omit<SegmentHeader, 'start'>
  /** Where the next file goes. */
  newFile(start: bigint): string
  /** Where the log goes on. */
  readonly start: bigint
  /** A mark has come, and its transaction is complete. */
  marked(mark: Mark): void
  /** A change of the schema has come. */
  changed(): void
}

/** Tables whose rows say more than themselves. */
const TELLING = new Set(['log_mark', 'schema_changes', 'schema_migrations'])

/** Turns what comes from the slot into segments: whole transactions, each segment complete in itself. */
export class Recorder {
  readonly #options: RecorderOptions
  readonly #signs: Signs
  readonly #relations = new Map<number, { readonly bytes: Buffer; readonly types: number[] }>()
  readonly #types = new Map<number, Buffer>()
  readonly #telling = new Set<number>()
  #segment: OpenSegment | null = null
  /** A transaction that has begun, and of which nothing is written yet. */
  #begun: { readonly lsn: bigint; readonly message: Buffer } | null = null
  #isOpen = false
  #commitLsn = 0n
  #newMarks: Mark[] = []
  /** Everything before it is in a segment. */
  #end: bigint
  #reached: bigint

  constructor(options: RecorderOptions) {
    this.#options = options
    this.#signs = new Signs()
    this.#end = options.start
    this.#reached = options.start
  }

  /** Everything that was committed before it has come. */
  get reached(): bigint {
    return this.#reached
  }

  /** Bytes of the segment that is being written. */
  get bytes(): number {
    return this.#segment?.bytes ?? 0
  }

  /** Something was committed that is in no segment yet. */
  get hasNews(): boolean {
    return this.#segment !== null || this.#begun !== null
  }

  /** Where the next segment begins. */
  get end(): bigint {
    return this.#end
  }

  /** Nothing that was begun is incomplete. */
  get isBetween(): boolean {
    return !this.#isOpen
  }

  /** The file cannot take more for now. */
  get isFull(): boolean {
    return this.#segment?.isFull ?? false
  }

  /** Believes the schema changes that are known by this digest. */
  trust(proof: string): void {
    this.#signs.trust(proof)
  }

  /** Nothing came up to this place but what came. */
  reach(lsn: bigint): void {
    if (!this.#isOpen && lsn > this.#reached) this.#reached = lsn
  }

  take(lsn: bigint, message: Buffer): void {
    switch (message[0]) {
      case BEGIN:
        // Of transactions with nothing in them nothing is kept: older servers send them.
        this.#begun = { lsn, message: Buffer.from(message) }
        this.#commitLsn = message.readBigUInt64BE(1)
        this.#isOpen = true
        return
      case COMMIT:
        return this.#commit(lsn, message)
      case RELATION:
        return this.#keepRelation(message)
      case TYPE:
        this.#types.set(message.readUInt32BE(1), Buffer.from(message))
        return
      case INSERT:
      case UPDATE:
      case DELETE: {
        const id = message.readUInt32BE(1)
        this.#write(lsn, message, [id])
        if (message[0] !== DELETE && this.#telling.has(id)) this.#note(message)
        return
      }
      case TRUNCATE: {
        const count = message.readUInt32BE(1)
        const ids = Array.from({ length: count }, (_, at) => message.readUInt32BE(6 + 4 * at))
        return this.#write(lsn, message, ids)
      }
      case MESSAGE:
        // What is outside of transactions is nobody's state.
        if (!this.#isOpen || (message[1] ?? 0) === 0) return
        this.#write(lsn, message, [])
        return this.#note(message)
      default:
        return this.#write(lsn, message, [])
    }
  }

  /** Ends the segment where the last transaction ended, or at `end` where nothing came; null while one is open. */
  async cut(end?: bigint): Promise<Recorded | null> {
    if (this.#isOpen) return null
    const segment = this.#segment ?? (end === undefined ? null : this.#open())
    if (!segment) return null
    this.#segment = null
    const start = this.#end
    this.#end = end !== undefined && end > this.#reached ? end : this.#reached
    return segment.close(start, this.#end)
  }

  /** Forgets what is not cut yet. */
  async abandon(): Promise<void> {
    await this.#segment?.abandon()
    this.#segment = null
  }

  #commit(lsn: bigint, message: Buffer): void {
    const commit = decode(message)
    if (commit.kind !== 'commit') throw new Error('a commit is none')
    const isEmpty = this.#begun !== null
    this.#begun = null
    this.#isOpen = false
    if (!isEmpty) {
      this.#segment?.write(lsn, message)
      this.#segment?.committed({ lsn: commit.commitLsn, us: commit.committedUs })
    }
    if (commit.endLsn > this.#reached) this.#reached = commit.endLsn
    const marks = this.#newMarks
    this.#newMarks = []
    for (const mark of marks) this.#options.marked(mark)
  }

  #keepRelation(message: Buffer): void {
    const bytes = Buffer.from(message)
    const relation = decode(bytes)
    if (relation.kind !== 'relation') throw new Error('a relation is none')
    this.#relations.set(relation.id, { bytes, types: typesOf(relation) })
    this.#segment?.forget(relation.id)
    this.#signs.read(relation)
    if (relation.schema === 'catalyst' && TELLING.has(relation.name)) {
      this.#telling.add(relation.id)
    } else this.#telling.delete(relation.id)
  }

  #note(message: Buffer): void {
    const sign = this.#signs.read(decode(message))
    if (!sign) return
    this.#segment?.note({ ...sign, lsn: this.#commitLsn })
    if (sign.kind === 'mark') this.#newMarks.push(sign.mark)
    else this.#options.changed()
  }

  #open(): OpenSegment {
    const start = this.#end
    const header = { ...this.#options.header, start: formatLsn(start) }
    return new OpenSegment(this.#options.newFile(start), headerBytes(header))
  }

  #write(lsn: bigint, message: Buffer, relations: readonly number[]): void {
    this.#segment ??= this.#open()
    const segment = this.#segment
    const begun = this.#begun
    if (begun) {
      segment.write(begun.lsn, begun.message)
      this.#begun = null
    }
    for (const id of relations) {
      if (segment.knows(id)) continue
      const relation = this.#relations.get(id)
      if (!relation) throw new Error('the log has a row of a table that it has not told of')
      for (const type of relation.types) {
        const bytes = this.#types.get(type)
        if (bytes) segment.write(lsn, bytes)
      }
      segment.write(lsn, relation.bytes)
      segment.know(id)
    }
    segment.write(lsn, message)
  }
}

const typesOf = ({ columns }: LoggedRelation): number[] => [
  ...new Set(columns.map(({ typeOid }) => typeOid)),
]

const [BEGIN, COMMIT, RELATION, TYPE, INSERT, UPDATE, DELETE, TRUNCATE, MESSAGE] = Array.from(
  'BCRYIUDTM',
  (letter) => letter.charCodeAt(0),
)

/** Frames are small, and each write costs. */
const WRITE_BYTES = 64 * 1024

/** A segment on its way into a file of the spool. */
class OpenSegment {
  readonly #file: string
  readonly #stream: WriteStream
  readonly #relations = new Set<number>()
  readonly #known = new Set<number>()
  readonly #signs: RecordedSign[] = []
  #waiting: Buffer[] = []
  #waitingBytes = 0
  #failure: Error | null = null
  #frames = 0
  #commits = 0
  #first: Commit | null = null
  #last: Commit | null = null
  #maxBackstepUs = 0
  bytes = 0

  constructor(file: string, header: Buffer) {
    this.#file = file
    this.#stream = createWriteStream(file, { flags: 'wx', mode: 0o600 })
    this.#stream.on('error', (error) => {
      this.#failure ??= new SpoolFailed(error)
    })
    this.#push(header)
  }

  get isFull(): boolean {
    return this.#stream.writableNeedDrain
  }

  write(lsn: bigint, message: Buffer): void {
    if (this.#failure) throw this.#failure
    this.#push(frameBytes(lsn, message))
    this.#frames++
  }

  committed(commit: Commit): void {
    this.#commits++
    this.#first ??= commit
    const backstep = (this.#last?.us ?? commit.us) - commit.us
    this.#maxBackstepUs = Math.max(this.#maxBackstepUs, backstep)
    this.#last = commit
  }

  note(sign: RecordedSign): void {
    this.#signs.push(sign)
  }

  knows(relation: number): boolean {
    return this.#known.has(relation)
  }

  know(relation: number): void {
    this.#known.add(relation)
    this.#relations.add(relation)
  }

  forget(relation: number): void {
    this.#known.delete(relation)
  }

  async close(start: bigint, end: bigint): Promise<Recorded> {
    this.#push(trailerBytes({ frames: this.#frames, commits: this.#commits, endLsn: end }))
    this.#flush()
    await this.#ended()
    return {
      file: this.#file,
      start,
      end,
      commits: this.#commits,
      first: this.#first,
      last: this.#last,
      maxBackstepUs: this.#maxBackstepUs,
      relations: [...this.#relations],
      signs: this.#signs,
    }
  }

  async abandon(): Promise<void> {
    await this.#ended().catch(() => {})
  }

  async #ended(): Promise<void> {
    this.#stream.end()
    if (!this.#stream.closed) await once(this.#stream, 'close').catch(() => {})
    if (this.#failure) throw this.#failure
  }

  #push(bytes: Buffer): void {
    this.bytes += bytes.length
    this.#waiting.push(bytes)
    this.#waitingBytes += bytes.length
    if (this.#waitingBytes >= WRITE_BYTES) this.#flush()
  }

  #flush(): void {
    if (this.#waiting.length === 0) return
    this.#stream.write(Buffer.concat(this.#waiting))
    this.#waiting = []
    this.#waitingBytes = 0
  }
}
