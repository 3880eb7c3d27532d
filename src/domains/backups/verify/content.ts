import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { AppError } from '../../../errors.js'
import { ObjectDamaged, open, type Sealed } from '../../../platform/objects/pipeline.js'
import { decode } from '../../../platform/postgres/replication/pgoutput.js'
import type { Archive } from '../archive/archive.js'
import type { BackupObject, FullManifest, Sidecar } from '../archive/manifest.js'
import { frames } from '../archive/segment.js'
import { CopyDamaged, countBinaryRows, countTextRows } from './copy-rows.js'
import type { Findings } from './findings.js'

/** What reading everything needs. */
export interface Reading {
  readonly archive: Archive
  readonly identities: readonly string[]
  readonly signal: AbortSignal
  readonly findings: Findings
  /** Stored bytes that were read. */
  read(bytes: number): void
}

/** One object with how it was sealed. */
interface Item extends Sealed {
  readonly key: string
}

type Sealing = Pick<FullManifest, 'codec' | 'encryption'>

/** Objects that are read at a time. */
const AT_A_TIME = 2

/** Reads every object of a full backup to its end, and counts what is in it. */
export async function readFull(reading: Reading, manifest: FullManifest): Promise<void> {
  await readAll(manifest.objects, async (object) => {
    await readOne(reading, { item: object, sealing: manifest, contents: contentsOf(object) })
  })
}

/** Reads every segment to its end, message by message. */
export async function readSegments(reading: Reading, segments: readonly Sidecar[]): Promise<void> {
  await readAll(segments, async (segment) => {
    await readOne(reading, { item: segment, sealing: segment, contents: messagesOf(segment) })
  })
}

type Contents = (plain: Readable) => Promise<void>

async function readOne(
  { archive, identities, signal, findings, read }: Reading,
  { item, sealing, contents }: { item: Item; sealing: Sealing; contents: Contents },
): Promise<void> {
  signal.throwIfAborted()
  const { codec, encryption } = sealing
  const isSealed = encryption !== null && identities.length === 0
  if (isSealed) {
    findings.notChecked(
      'What is in encrypted objects: no identity was given. Their sums as they are stored were compared.',
    )
  }
  // Without an identity the stored bytes alone can be compared with their sum.
  const how = isSealed
    ? ({ codec: 'none', encrypted: false, identities, signal } as const)
    : { codec, encrypted: encryption !== null, identities, signal }
  const expected = isSealed
    ? { stored_bytes: item.stored_bytes, stored_sha256: item.stored_sha256 }
    : item
  const looking = (async () => {
    const plain = await open(archive.objects, item.key, how, expected)
    try {
      await (isSealed ? toItsEnd(plain) : contents(plain))
    } catch (error) {
      throw namedBy(item.key, error)
    } finally {
      plain.destroy()
    }
  })()
  await findings.look(looking)
  read(item.stored_bytes)
}

/** A stream that fails has its own reason; what its reader found out is about this object. */
function namedBy(key: string, error: unknown): unknown {
  if (error instanceof ObjectDamaged) return error
  if (error instanceof CopyDamaged) return new ObjectDamaged(key, error.message, error)
  if (error instanceof AppError && error.code === 'precondition_failed') {
    return new ObjectDamaged(key, 'none of the identities given opens it', error)
  }
  if (error instanceof AppError && error.code === 'integrity_violation') {
    return new ObjectDamaged(key, error.message.replace(/^.*?: |\.$/g, ''), error)
  }
  return error
}

function contentsOf(object: BackupObject): Contents {
  const { key, role, rows = 0, copy_format } = object
  if (role === 'data') {
    return async (plain) => {
      const count = copy_format === 'text' ? countTextRows : countBinaryRows
      const found = await count(plain)
      if (found !== rows) throw new ObjectDamaged(key, `it has ${found} rows instead of ${rows}`)
    }
  }
  return async (plain) => {
    const content = await buffer(plain)
    try {
      const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
      if (role === 'catalog') JSON.parse(text)
    } catch (error) {
      throw new ObjectDamaged(key, 'it is no text that can be read', error)
    }
  }
}

const messagesOf =
  (sidecar: Sidecar): Contents =>
  async (plain) => {
    const { key, commits, last_commit } = sidecar
    let found = 0
    let last = 0n
    for await (const { message } of frames(plain)) {
      const decoded = decoding(key, message)
      if (decoded.kind !== 'commit') continue
      found += 1
      if (decoded.commitLsn <= last) {
        throw new ObjectDamaged(key, 'its commits are not in their order')
      }
      last = decoded.commitLsn
    }
    if (found !== commits) {
      throw new ObjectDamaged(key, `it has ${found} commits instead of ${commits}`)
    }
    if (last !== (last_commit?.lsn ?? 0n)) {
      throw new ObjectDamaged(key, 'its last commit is another')
    }
  }

function decoding(key: string, message: Buffer) {
  try {
    return decode(message)
  } catch (error) {
    throw new ObjectDamaged(key, 'a message of it cannot be read', error)
  }
}

async function toItsEnd(plain: Readable): Promise<void> {
  for await (const _ of plain);
}

async function readAll<T>(items: readonly T[], one: (item: T) => Promise<void>): Promise<void> {
  const waiting = [...items]
  const work = async () => {
    for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) await one(item)
  }
  const working = Array.from({ length: AT_A_TIME }, work)
  try {
    await Promise.all(working)
  } finally {
    waiting.length = 0
    await Promise.allSettled(working)
  }
}
