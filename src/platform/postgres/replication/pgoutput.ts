/** https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html, version 1. */

/** A large value that an update did not touch: the log does not repeat it. */
export const UNCHANGED = Symbol('unchanged')

/** One value as PostgreSQL writes it, null, or what is not repeated. */
export type LoggedValue = string | null | typeof UNCHANGED

/** The values of a row in the order of the columns of its relation. */
export type LoggedRow = readonly LoggedValue[]

interface LoggedColumn {
  readonly name: string
  /** It is part of what tells rows apart. */
  readonly isKey: boolean
  readonly typeOid: number
  readonly typeMod: number
}

/** What a table was when the rows after it were written. */
export interface LoggedRelation {
  readonly kind: 'relation'
  readonly id: number
  readonly schema: string
  readonly name: string
  /** How old rows are told: by the key, in full, by an index, or not at all. */
  readonly identity: 'default' | 'nothing' | 'full' | 'index'
  /** Without generated ones. */
  readonly columns: readonly LoggedColumn[]
}

/** The row as it was: its key only (the other values are null), or all of it. */
interface LoggedOld {
  readonly has: 'key' | 'all'
  readonly row: LoggedRow
}

/** One message of the log. Times are microseconds since 1970, places are bytes. */
export type LoggedMessage =
  | {
      readonly kind: 'begin'
      /** Where its commit begins: what tells transactions apart, and their order. */
      readonly commitLsn: bigint
      readonly committedUs: number
      readonly xid: number
    }
  | {
      readonly kind: 'commit'
      readonly commitLsn: bigint
      /** Behind it. */
      readonly endLsn: bigint
      readonly committedUs: number
    }
  | { readonly kind: 'origin' }
  | LoggedRelation
  | { readonly kind: 'type'; readonly id: number; readonly schema: string; readonly name: string }
  | { readonly kind: 'insert'; readonly relation: number; readonly new: LoggedRow }
  | {
      readonly kind: 'update'
      readonly relation: number
      /** Null where the key did not change and nothing else is told of the old row. */
      readonly old: LoggedOld | null
      readonly new: LoggedRow
    }
  | { readonly kind: 'delete'; readonly relation: number; readonly old: LoggedOld }
  | {
      readonly kind: 'truncate'
      readonly relations: readonly number[]
      readonly cascade: boolean
      readonly restartIdentity: boolean
    }
  | {
      readonly kind: 'message'
      readonly isTransactional: boolean
      readonly lsn: bigint
      readonly prefix: string
      readonly content: Buffer
    }

/** Microseconds from 1970 to 2000, where PostgreSQL begins to count. */
const EPOCH_US = 946_684_800_000_000

const IDENTITIES = { d: 'default', n: 'nothing', f: 'full', i: 'index' } as const

/**
 * Reads one message.
 *
 * @throws RangeError when it is cut off or is none that is known
 */
export function decode(message: Uint8Array): LoggedMessage {
  const reader = new Reader(message)
  const kind = reader.letter()
  switch (kind) {
    case 'B':
      return {
        kind: 'begin',
        commitLsn: reader.int64(),
        committedUs: reader.time(),
        xid: reader.uint32(),
      }
    case 'C':
      reader.byte()
      return {
        kind: 'commit',
        commitLsn: reader.int64(),
        endLsn: reader.int64(),
        committedUs: reader.time(),
      }
    case 'O':
      return { kind: 'origin' }
    case 'R':
      return relation(reader)
    case 'Y':
      return { kind: 'type', id: reader.uint32(), schema: schemaOf(reader), name: reader.text() }
    case 'I':
      return { kind: 'insert', relation: reader.uint32(), new: row(reader, 'N') }
    case 'U':
      return { kind: 'update', relation: reader.uint32(), old: old(reader), new: row(reader, 'N') }
    case 'D': {
      const id = reader.uint32()
      const was = old(reader)
      if (!was) throw new RangeError('a deletion does not say what it deletes')
      return { kind: 'delete', relation: id, old: was }
    }
    case 'T': {
      const count = reader.uint32()
      const options = reader.byte()
      const relations = Array.from({ length: count }, () => reader.uint32())
      const [cascade, restartIdentity] = [(options & 1) > 0, (options & 2) > 0]
      return { kind: 'truncate', relations, cascade, restartIdentity }
    }
    case 'M':
      return {
        kind: 'message',
        isTransactional: (reader.byte() & 1) > 0,
        lsn: reader.int64(),
        prefix: reader.text(),
        content: reader.bytes(reader.uint32()),
      }
    default:
      throw new RangeError(`the log has a message of an unknown kind: ${JSON.stringify(kind)}`)
  }
}

function relation(reader: Reader): LoggedRelation {
  const id = reader.uint32()
  const [schema, name] = [schemaOf(reader), reader.text()]
  const letter = reader.letter()
  if (!isIdentity(letter)) throw new RangeError(`an unknown replica identity: ${letter}`)
  const columns = Array.from({ length: reader.uint16() }, () => ({
    isKey: (reader.byte() & 1) > 0,
    name: reader.text(),
    typeOid: reader.uint32(),
    typeMod: reader.int32(),
  }))
  return { kind: 'relation', id, schema, name, identity: IDENTITIES[letter], columns }
}

const isIdentity = (letter: string): letter is keyof typeof IDENTITIES =>
  Object.hasOwn(IDENTITIES, letter)

/** PostgreSQL's own schema has no name in the log. */
const schemaOf = (reader: Reader): string => reader.text() || 'pg_catalog'

function old(reader: Reader): LoggedOld | null {
  const letter = reader.peek()
  if (letter !== 'K' && letter !== 'O') return null
  return { has: letter === 'K' ? 'key' : 'all', row: row(reader, letter) }
}

function row(reader: Reader, expected: string): LoggedRow {
  const letter = reader.letter()
  if (letter !== expected) throw new RangeError(`a row begins with ${JSON.stringify(letter)}`)
  return Array.from({ length: reader.uint16() }, () => value(reader))
}

function value(reader: Reader): LoggedValue {
  const letter = reader.letter()
  switch (letter) {
    case 'n':
      return null
    case 'u':
      return UNCHANGED
    case 't':
      return reader.bytes(reader.uint32()).toString('utf8')
    default:
      throw new RangeError(`a value is neither text nor null: ${JSON.stringify(letter)}`)
  }
}

/** Reads on from where it stands; Buffer's own methods throw a RangeError at the end. */
class Reader {
  readonly #buffer: Buffer
  #at = 0

  constructor({ buffer, byteOffset, byteLength }: Uint8Array) {
    this.#buffer = Buffer.from(buffer, byteOffset, byteLength)
  }

  byte(): number {
    return this.#buffer.readUInt8(this.#at++)
  }

  letter(): string {
    return String.fromCharCode(this.byte())
  }

  peek(): string {
    return String.fromCharCode(this.#buffer.readUInt8(this.#at))
  }

  uint16(): number {
    this.#at += 2
    return this.#buffer.readUInt16BE(this.#at - 2)
  }

  int32(): number {
    this.#at += 4
    return this.#buffer.readInt32BE(this.#at - 4)
  }

  uint32(): number {
    this.#at += 4
    return this.#buffer.readUInt32BE(this.#at - 4)
  }

  int64(): bigint {
    this.#at += 8
    return this.#buffer.readBigUInt64BE(this.#at - 8)
  }

  time(): number {
    this.#at += 8
    return Number(this.#buffer.readBigInt64BE(this.#at - 8)) + EPOCH_US
  }

  text(): string {
    const end = this.#buffer.indexOf(0, this.#at)
    if (end < 0) throw new RangeError('a text does not end')
    const text = this.#buffer.toString('utf8', this.#at, end)
    this.#at = end + 1
    return text
  }

  bytes(length: number): Buffer {
    const end = this.#at + length
    if (end > this.#buffer.length) throw new RangeError('a value is cut off')
    const bytes = this.#buffer.subarray(this.#at, end)
    this.#at = end
    return bytes
  }
}
