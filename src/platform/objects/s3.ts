import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { AppError, abortError } from '../../errors.js'
import { isAbsent, isUnknownCommand, translated } from './s3-errors.js'
import {
  checkKey,
  type ObjectInfo,
  ObjectMissing,
  type ObjectStore,
  type Removal,
} from './store.js'

/** How a store of S3's kind is reached. */
export interface S3Access {
  /** Other than Amazon's, such as `https://fra1.digitaloceanspaces.com`. */
  readonly endpoint: string | null
  readonly region: string | null
  /** Null: where the SDK finds them, such as the role of the machine. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
  /** A part of a larger object, in bytes; at least 5 MB. 10 000 parts are the most an object may have. */
  readonly partBytes?: number
  /** Neither side has said anything for so long; less than 6 s are kept more exactly. */
  readonly silenceMs?: number
}

interface Cancellable {
  readonly signal?: AbortSignal | undefined
}

const PART_BYTES = 16 * 1024 * 1024
/** Parts that are sent at a time; with the one being read they are what an upload holds in memory. */
const PARTS_AT_A_TIME = 3
const CONNECT_MS = 5_000
const SILENCE_MS = 60_000
/** A reader begins again where it was cut off so often without a byte in between. */
const RESUMES = 5

/** Objects of a bucket, over HTTP. */
export class S3Store implements ObjectStore {
  readonly location: string
  readonly #client: S3Client
  readonly #bucket: string
  /** Empty, or with a slash at its end. */
  readonly #prefix: string
  readonly #partBytes: number

  /** @param url `s3://bucket/prefix` */
  constructor(url: string, access: S3Access) {
    const { endpoint, region, credentials } = access
    const { partBytes = PART_BYTES, silenceMs: socketTimeout = SILENCE_MS } = access
    const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*?)\/?$/.exec(url) ?? []
    this.location = prefix ? `s3://${bucket}/${prefix}` : `s3://${bucket}`
    this.#bucket = bucket
    this.#prefix = prefix ? `${prefix}/` : ''
    this.#partBytes = partBytes
    this.#client = new S3Client({
      region: region ?? 'us-east-1',
      // Servers other than Amazon's answer to any name only with the bucket in the path.
      ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
      ...(credentials ? { credentials } : {}),
      maxAttempts: 4,
      requestHandler: { connectionTimeout: CONNECT_MS, socketTimeout },
      // Sums of newer kinds are refused by servers of other makers; parts are signed with their SHA-256 anyway.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    })
  }

  locationOf(key: string): string {
    return `${this.location}/${key}`
  }

  async put(
    key: string,
    body: Readable | Uint8Array,
    { signal }: Cancellable = {},
  ): Promise<{ readonly bytes: number }> {
    const there = await this.#find(key, signal)
    const parts = inParts(body, this.#partBytes)
    try {
      if (there) return await this.#compare(key, parts, signal)
      const { value: first = Buffer.alloc(0) } = await parts.next()
      return first.length < this.#partBytes
        ? await this.#putWhole(key, first, signal)
        : await this.#putParts(key, { first, parts, signal })
    } finally {
      // Whoever feeds a body that is not read to its end has to be told.
      await parts.return(undefined)
    }
  }

  async get(key: string, { signal }: Cancellable = {}): Promise<Readable> {
    const opened = await this.#fetch(key, { from: 0, etag: undefined, signal })
    return Readable.from(this.#resumed(key, opened, signal), { objectMode: false })
  }

  async head(key: string): Promise<ObjectInfo | null> {
    const found = await this.#find(key)
    return found && { key, bytes: found.bytes, modifiedAt: found.modifiedAt }
  }

  async *list(
    prefix: string,
    { after }: { readonly after?: string } = {},
  ): AsyncIterable<ObjectInfo> {
    const among = {
      Bucket: this.#bucket,
      Prefix: `${this.#prefix}${prefix}`,
      ...(after ? { StartAfter: `${this.#prefix}${after}` } : {}),
    }
    let next: string | undefined
    do {
      const command = new ListObjectsV2Command({ ...among, ContinuationToken: next })
      const page = await this.#asked(this.#client.send(command))
      for (const { Key = '', Size = 0, LastModified = new Date(0) } of page.Contents ?? []) {
        yield { key: this.#keyOf(Key), bytes: Size, modifiedAt: LastModified }
      }
      next = page.IsTruncated ? page.NextContinuationToken : undefined
    } while (next)
  }

  async remove(key: string): Promise<Removal> {
    // The answer to a removal does not tell whether there was anything.
    if (!(await this.#find(key))) return 'missing'
    try {
      await this.#asked(this.#client.send(new DeleteObjectCommand(this.#named(key))))
      return 'removed'
    } catch (error) {
      if (error instanceof AppError && error.code === 'permission_denied') return 'retained'
      throw error
    }
  }

  async abandonUploads(before: Date): Promise<number> {
    const among = { Bucket: this.#bucket, Prefix: this.#prefix }
    const { Uploads = [] } = await this.#client
      .send(new ListMultipartUploadsCommand(among))
      .catch((error: unknown) => {
        if (isUnknownCommand(error)) return { Uploads: [] }
        throw this.#translated(error)
      })
    const stale = Uploads.filter(
      ({ Key, Initiated }) =>
        Key?.startsWith(this.#prefix) && (Initiated ?? new Date()).getTime() < before.getTime(),
    )
    for (const { Key, UploadId } of stale) {
      const upload = { Bucket: this.#bucket, Key, UploadId }
      await this.#asked(this.#client.send(new AbortMultipartUploadCommand(upload)))
    }
    return stale.length
  }

  async check(): Promise<void> {
    const within = { Bucket: this.#bucket, Prefix: this.#prefix, MaxKeys: 1 }
    await this.#asked(this.#client.send(new ListObjectsV2Command(within)))
  }

  close(): void {
    this.#client.destroy()
  }

  async #putWhole(key: string, content: Buffer, signal: AbortSignal | undefined) {
    const bytes = content.length
    const command = new PutObjectCommand({ ...this.#named(key), Body: content })
    try {
      await this.#asked(this.#client.send(command, until(signal)), signal)
    } catch (error) {
      // The answer may have been lost and the second attempt refused because of the first.
      if (!(await this.#holds(key, bytes))) throw error
    }
    return { bytes }
  }

  async #putParts(
    key: string,
    {
      first,
      parts,
      signal,
    }: { first: Buffer; parts: AsyncIterable<Buffer>; signal: AbortSignal | undefined },
  ) {
    const named = this.#named(key)
    const begun = this.#client.send(new CreateMultipartUploadCommand(named), until(signal))
    const upload = { ...named, UploadId: (await this.#asked(begun, signal)).UploadId }
    const failed = new AbortController()
    const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal
    const sent: Promise<CompletedPart>[] = []
    let bytes = 0
    try {
      for await (const part of startingWith(first, parts)) {
        bytes += part.length
        const sending = this.#sendPart(upload, { PartNumber: sent.length + 1, part, stop })
        // Whoever awaits it is told; until then its failure is nobody's.
        sending.catch(() => undefined)
        sent.push(sending)
        await sent.at(-PARTS_AT_A_TIME)
      }
      const Parts = await Promise.all(sent)
      const command = new CompleteMultipartUploadCommand({ ...upload, MultipartUpload: { Parts } })
      await this.#client.send(command, until(signal))
      if (await this.#holds(key, bytes)) return { bytes }
      throw new AppError('unavailable', `${this.locationOf(key)} is not what was sent.`)
    } catch (error) {
      // The answer to the end may have been lost.
      if (await this.#holds(key, bytes)) return { bytes }
      failed.abort()
      await Promise.allSettled(sent)
      // What cannot be given up now is given up with the next round of `abandonUploads`.
      await this.#client.send(new AbortMultipartUploadCommand(upload)).catch(() => undefined)
      throw this.#translated(error, signal)
    }
  }

  async #sendPart(
    upload: {
      readonly Bucket: string
      readonly Key: string
      readonly UploadId: string | undefined
    },
    { PartNumber, part, stop }: { PartNumber: number; part: Buffer; stop: AbortSignal },
  ): Promise<CompletedPart> {
    const command = new UploadPartCommand({ ...upload, PartNumber, Body: part })
    const { ETag } = await this.#client.send(command, until(stop))
    return { PartNumber, ETag }
  }

  /** @throws AppError `conflict` when what is there is not this */
  async #compare(key: string, parts: AsyncIterable<Buffer>, signal: AbortSignal | undefined) {
    const [ours, theirs] = [await sumOf(parts), await sumOf(await this.get(key, { signal }))]
    if (ours.sha256 === theirs.sha256) return { bytes: ours.bytes }
    throw new AppError('conflict', `There is another object already at ${this.locationOf(key)}.`)
  }

  /** Nothing was there before, and nobody else writes to this key: its size tells. */
  async #holds(key: string, bytes: number): Promise<boolean> {
    const found = await this.#find(key).catch(() => null)
    return found?.bytes === bytes
  }

  async #find(key: string, signal?: AbortSignal) {
    const command = new HeadObjectCommand(this.#named(key))
    try {
      const found = await this.#client.send(command, until(signal))
      const { ContentLength: bytes = 0, LastModified: modifiedAt = new Date(0) } = found
      return { bytes, modifiedAt }
    } catch (error) {
      if (isAbsent(error)) return null
      throw this.#translated(error, signal)
    }
  }

  async #fetch(
    key: string,
    {
      from,
      etag,
      signal,
    }: { from: number; etag: string | undefined; signal: AbortSignal | undefined },
  ): Promise<Opened> {
    const rest = from > 0 ? { Range: `bytes=${from}-`, IfMatch: etag } : {}
    const command = new GetObjectCommand({ ...this.#named(key), ...rest })
    try {
      const { Body, ETag, ContentLength = 0 } = await this.#client.send(command, until(signal))
      // In Node the body is a stream of Node.
      return { body: Body as Readable, etag: ETag, bytes: from + ContentLength }
    } catch (error) {
      if (isAbsent(error)) throw new ObjectMissing(key, this.locationOf(key))
      throw this.#translated(error, signal)
    }
  }

  /** Reads to the end whatever cuts it off, as long as something comes. */
  async *#resumed(
    key: string,
    opened: Opened,
    signal: AbortSignal | undefined,
  ): AsyncIterable<Uint8Array> {
    const { etag, bytes } = opened
    let { body } = opened
    let at = 0
    let lastCut = 0
    for (let cuts = 0; ; cuts = at > lastCut ? 1 : cuts + 1, lastCut = at) {
      if (cuts > 0) body = (await this.#fetch(key, { from: at, etag, signal })).body
      try {
        for await (const chunk of body) {
          at += chunk.length
          yield chunk
        }
        if (at >= bytes) return
      } catch (error) {
        if (at >= bytes) return
        if (signal?.aborted || cuts >= RESUMES) throw this.#translated(error, signal)
      }
      if (cuts >= RESUMES) throw this.#translated(new Error('cut off'), signal)
    }
  }

  #named(key: string) {
    return { Bucket: this.#bucket, Key: `${this.#prefix}${checkKey(key)}` }
  }

  #keyOf(name: string): string {
    return name.slice(this.#prefix.length)
  }

  async #asked<T>(answer: Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await answer
    } catch (error) {
      throw this.#translated(error, signal)
    }
  }

  #translated(error: unknown, signal?: AbortSignal): AppError {
    if (signal?.aborted) return abortError(signal)
    return translated(error, this.location)
  }
}

const until = (signal: AbortSignal | undefined) => (signal ? { abortSignal: signal } : {})

interface Opened {
  readonly body: Readable
  readonly etag: string | undefined
  /** Of the whole object. */
  readonly bytes: number
}

/** Parts of exactly this size but for the last, which may be smaller; none of nothing. */
async function* inParts(
  body: Readable | Uint8Array,
  size: number,
): AsyncGenerator<Buffer, void, undefined> {
  if (body instanceof Uint8Array) {
    const whole = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
    for (let at = 0; at < whole.length; at += size) yield whole.subarray(at, at + size)
    return
  }
  let held: Buffer[] = []
  let bytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    for (let rest = chunk; rest.length > 0; ) {
      const taken = rest.subarray(0, size - bytes)
      held.push(taken)
      bytes += taken.length
      rest = rest.subarray(taken.length)
      if (bytes < size) continue
      yield Buffer.concat(held)
      held = []
      bytes = 0
    }
  }
  if (bytes > 0) yield Buffer.concat(held)
}

async function* startingWith(first: Buffer, rest: AsyncIterable<Buffer>) {
  yield first
  yield* rest
}

async function sumOf(content: AsyncIterable<Uint8Array>) {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of content) {
    hash.update(chunk)
    bytes += chunk.length
  }
  return { sha256: hash.digest('hex'), bytes }
}
