import { createHash } from 'node:crypto'
import { PassThrough, pipeline as piped, Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { ReadableStream } from 'node:stream/web'
import { constants, createBrotliCompress, createBrotliDecompress } from 'node:zlib'
import { AppError } from '../../errors.js'
import type { ObjectStore } from './store.js'

/** How an object is compressed: brotli, or not. */
export type Codec = 'br' | 'none'

/** What an object was before compression and encryption, and what is kept of it. */
export interface Sealed {
  readonly plain_bytes: number
  readonly plain_sha256: string
  readonly stored_bytes: number
  readonly stored_sha256: string
}

/** How an object becomes what is kept. */
export interface Sealing {
  readonly codec: Codec
  /** age public keys; none: it is not encrypted. */
  readonly recipients: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** How what is kept is opened again. */
export interface Opening {
  readonly codec: Codec
  readonly encrypted: boolean
  /** age identities; needed only where it is encrypted. */
  readonly identities: readonly string[]
  readonly signal?: AbortSignal | undefined
}

/** An object is not what was stored. */
export class ObjectDamaged extends AppError {
  readonly key: string

  constructor(key: string, what: string, cause?: unknown) {
    super('integrity_violation', `The object ${key} is not what was stored: ${what}.`, { cause })
    this.key = key
  }
}

/** Faster than gzip 1, and smaller. */
const QUALITY = { [constants.BROTLI_PARAM_QUALITY]: 1 }

/**
 * Compresses, encrypts and stores what is read, and answers the sums of both sides.
 *
 * @throws what reading throws, or what the store says
 */
export async function store(
  objects: ObjectStore,
  key: string,
  source: Readable,
  { codec, recipients, signal }: Sealing,
): Promise<Sealed> {
  const plain = new Meter()
  const stored = new Meter()
  let putting: Promise<unknown> | undefined
  const put = (body: AsyncIterable<Buffer>) => {
    putting = objects.put(key, Readable.from(body, { objectMode: false }), { signal })
    return putting
  }
  try {
    await pipeline(
      source,
      plain,
      codec === 'br' ? createBrotliCompress({ params: QUALITY }) : new PassThrough(),
      encryptedFor(recipients),
      stored,
      put,
      signal ? { signal } : {},
    )
  } catch (error) {
    // What was begun in the store is undone before anybody is told.
    await putting?.catch(() => undefined)
    throw error
  }
  const [was, is] = [plain.sum(), stored.sum()]
  return {
    plain_bytes: was.bytes,
    plain_sha256: was.sha256,
    stored_bytes: is.bytes,
    stored_sha256: is.sha256,
  }
}

/**
 * Reads an object as it was before it was stored. Its stream fails at the end when a sum is not the expected
 * one, and earlier when it can only be wrong.
 *
 * @throws AppError `not_found`; the stream fails with ObjectDamaged, or `precondition_failed` when no identity opens it
 */
export async function open(
  objects: ObjectStore,
  key: string,
  { codec, encrypted, identities, signal }: Opening,
  expected: Partial<Sealed> = {},
): Promise<Readable> {
  const stored = new Meter({ bytes: expected.stored_bytes, sha256: expected.stored_sha256 })
  const plain = new Meter({ bytes: expected.plain_bytes, sha256: expected.plain_sha256 })
  const opened = piped(
    await objects.get(key, { signal }),
    stored,
    encrypted ? decryptedBy(identities) : passed,
    codec === 'br' ? createBrotliDecompress() : new PassThrough(),
    plain,
    // Whoever reads the last stream is told.
    () => undefined,
  )
  return Readable.from(readable(key, opened), { objectMode: false })
}

async function* readable(key: string, opened: Readable): AsyncIterable<Buffer> {
  try {
    yield* opened
  } catch (error) {
    if (error instanceof AppError) throw error
    if (error instanceof Differs) throw new ObjectDamaged(key, error.message, error)
    if (isNoIdentity(error)) throw noIdentity(key, error)
    throw new ObjectDamaged(key, 'it cannot be decrypted or decompressed', error)
  }
}

type Stage = (input: AsyncIterable<Buffer>) => AsyncIterable<Uint8Array>

async function* passed(input: AsyncIterable<Buffer>) {
  yield* input
}

function encryptedFor(recipients: readonly string[]): Stage {
  if (recipients.length === 0) return passed
  return async function* (input) {
    const { Encrypter } = await import('age-encryption')
    const encrypter = new Encrypter()
    for (const recipient of recipients)
      accept(() => encrypter.addRecipient(recipient), NO_RECIPIENT)
    yield* await encrypter.encrypt(ReadableStream.from(input))
  }
}

function decryptedBy(identities: readonly string[]): Stage {
  return async function* (input) {
    const { Decrypter } = await import('age-encryption')
    const decrypter = new Decrypter()
    for (const identity of identities) accept(() => decrypter.addIdentity(identity), NO_IDENTITY)
    yield* await decrypter.decrypt(ReadableStream.from(input))
  }
}

const NO_RECIPIENT = {
  message: 'A recipient of encrypted backups is no age public key.',
  hint: 'Correct CATALYST_BACKUP_RECIPIENTS: keys such as age1…, as age-keygen prints them.',
}
const NO_IDENTITY = {
  message: 'What was given as an age identity is none.',
  hint: 'CATALYST_BACKUP_IDENTITY_FILE is a file as age-keygen writes it, with a line AGE-SECRET-KEY-1….',
}

/** What is no key is said to be none, without being repeated. */
function accept(add: () => void, { message, hint }: typeof NO_IDENTITY): void {
  try {
    add()
  } catch (cause) {
    throw new AppError('precondition_failed', message, { hint, cause })
  }
}

class Differs extends Error {}

interface Sum {
  readonly bytes: number
  readonly sha256: string
}

/** Lets everything through and counts; ends in failure when it is not what was expected. */
class Meter extends Transform {
  readonly #hash = createHash('sha256')
  readonly #expected: { readonly [key in keyof Sum]?: Sum[key] | undefined }
  #bytes = 0
  #sha256 = ''

  constructor(expected: { readonly [key in keyof Sum]?: Sum[key] | undefined } = {}) {
    super()
    this.#expected = expected
  }

  override _transform(
    chunk: Buffer,
    _: unknown,
    done: (error: Error | null, data?: Buffer) => void,
  ) {
    this.#hash.update(chunk)
    this.#bytes += chunk.length
    // What was made to swell without end is stopped where it is too long.
    const limit = this.#expected.bytes ?? Number.POSITIVE_INFINITY
    done(this.#bytes > limit ? new Differs(`it is longer than ${limit} bytes`) : null, chunk)
  }

  override _flush(done: (error: Error | null) => void) {
    this.#sha256 = this.#hash.digest('hex')
    done(this.#difference())
  }

  sum(): Sum {
    return { bytes: this.#bytes, sha256: this.#sha256 }
  }

  #difference(): Error | null {
    const { bytes, sha256 } = this.#expected
    if (bytes !== undefined && bytes !== this.#bytes) {
      return new Differs(`it has ${this.#bytes} bytes instead of ${bytes}`)
    }
    if (sha256 !== undefined && sha256 !== this.#sha256) {
      return new Differs('its SHA-256 is another')
    }
    return null
  }
}

const isNoIdentity = (error: unknown): boolean =>
  error instanceof Error && /no identity matched/.test(error.message)

const noIdentity = (key: string, cause: unknown): AppError =>
  new AppError('precondition_failed', `None of the identities given opens ${key}.`, {
    hint: 'Give the age identity of one of its recipients in CATALYST_BACKUP_IDENTITY_FILE.',
    cause,
  })
