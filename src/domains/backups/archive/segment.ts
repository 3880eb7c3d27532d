import type { Readable } from 'node:stream'
import { z } from 'zod'
import { AppError } from '../../../errors.js'

/**
 * A segment of the log: `CDBLOG1`, a line of JSON, then frames `[length: 4][place: 8][message of pgoutput]`, then
 * `[FFFFFFFF: 4][frames: 4][commits: 4][end: 8]`, big-endian. It begins and ends between transactions, and tells
 * again of each table before its first row, so that it can be read without any other.
 */
const MAGIC = 'CDBLOG1\n'
const END = 0xffff_ffff
const FRAME_BYTES = 12
const TRAILER_BYTES = 20
/** No message comes near it: one value has at most a gigabyte. */
const LONGEST_BYTES = 0x7fff_ffff

const HEADER = z.object({
  archive_id: z.string(),
  system_identifier: z.string(),
  timeline: z.int(),
  publication: z.string(),
  proto: z.literal(1),
  start: z.string(),
})

/** What a segment says of itself at its beginning. */
export type SegmentHeader = z.output<typeof HEADER>

/** One message with its place in the log. */
export interface Frame {
  readonly lsn: bigint
  /** As pgoutput wrote it. */
  readonly message: Buffer
}

/** How a segment ends. */
export interface SegmentTrailer {
  readonly frames: number
  readonly commits: number
  readonly endLsn: bigint
}

/** The first bytes of a segment. */
export const headerBytes = (header: SegmentHeader): Buffer =>
  Buffer.from(`${MAGIC}${JSON.stringify(header)}\n`)

/** One message as a segment keeps it, in bytes of its own. */
export function frameBytes(lsn: bigint, message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(FRAME_BYTES + message.length)
  bytes.writeUInt32BE(message.length, 0)
  bytes.writeBigUInt64BE(lsn, 4)
  bytes.set(message, FRAME_BYTES)
  return bytes
}

/** The last bytes of a segment. */
export function trailerBytes({ frames, commits, endLsn }: SegmentTrailer): Buffer {
  const bytes = Buffer.alloc(TRAILER_BYTES)
  bytes.writeUInt32BE(END, 0)
  bytes.writeUInt32BE(frames, 4)
  bytes.writeUInt32BE(commits, 8)
  bytes.writeBigUInt64BE(endLsn, 12)
  return bytes
}

/**
 * Every message of a segment in its order.
 *
 * @throws AppError `integrity_violation` where the segment is not whole; what reading throws
 */
export async function* frames(source: Readable): AsyncIterable<Frame> {
  for await (const batch of frameBatches(source)) yield* batch
}

/** The same as they come, many at a time. */
export async function* frameBatches(source: Readable): AsyncIterable<readonly Frame[]> {
  const reader = new SegmentReader()
  for await (const chunk of source) yield reader.take(chunk)
  reader.end()
}

class SegmentReader {
  #rest: Buffer = Buffer.alloc(0)
  #header: SegmentHeader | null = null
  #frames = 0
  #commits = 0
  #isOver = false

  take(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    if (!this.#header && !this.#readHeader()) return []
    const found: Frame[] = []
    let at = 0
    while (!this.#isOver && this.#rest.length - at >= 4) {
      const length = this.#rest.readUInt32BE(at)
      if (length === END) {
        if (this.#rest.length - at < TRAILER_BYTES) break
        this.#checkTrailer(at)
        at += TRAILER_BYTES
        break
      }
      if (length > LONGEST_BYTES) throw damaged('a message of it has no length')
      const end = at + FRAME_BYTES + length
      if (this.#rest.length < end) break
      const message = this.#rest.subarray(at + FRAME_BYTES, end)
      found.push({ lsn: this.#rest.readBigUInt64BE(at + 4), message })
      this.#frames++
      if (message[0] === COMMIT) this.#commits++
      at = end
    }
    this.#rest = this.#rest.subarray(at)
    if (this.#isOver && this.#rest.length > 0) throw damaged('something follows its end')
    return found
  }

  end(): void {
    if (!this.#isOver) throw damaged('it is cut off')
  }

  #readHeader(): boolean {
    const isLong = this.#rest.length >= MAGIC.length
    if (isLong && this.#rest.toString('latin1', 0, MAGIC.length) !== MAGIC) {
      throw damaged('it does not begin as one')
    }
    const end = this.#rest.indexOf(0x0a, MAGIC.length)
    if (end < 0) {
      if (this.#rest.length > 65_536) throw damaged('its first line does not end')
      return false
    }
    try {
      this.#header = HEADER.parse(JSON.parse(this.#rest.toString('utf8', MAGIC.length, end)))
    } catch (error) {
      throw damaged('its first line says nothing that is known', error)
    }
    this.#rest = this.#rest.subarray(end + 1)
    return true
  }

  #checkTrailer(at: number): void {
    const frames = this.#rest.readUInt32BE(at + 4)
    const commits = this.#rest.readUInt32BE(at + 8)
    if (frames !== this.#frames || commits !== this.#commits) {
      throw damaged('it has another number of messages than its end says')
    }
    this.#isOver = true
  }
}

const COMMIT = 'C'.charCodeAt(0)

const damaged = (what: string, cause?: unknown): AppError =>
  new AppError('integrity_violation', `A segment of the log is not what was stored: ${what}.`, {
    cause,
  })
