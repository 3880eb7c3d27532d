/** One message of the PostgreSQL protocol, as it travels. */
export interface Message {
  /** The type byte as a letter; empty for what a client says before it has one. */
  readonly type: string
  readonly bytes: Buffer
}

const LENGTH_BYTES = 4

/**
 * Finds the messages in a stream of bytes:
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
export class Framer {
  #rest: Buffer = Buffer.alloc(0)
  #isStarting: boolean

  /** A client's first message has no type byte; a server's messages always have one. */
  constructor(from: 'client' | 'server') {
    this.#isStarting = from === 'client'
  }

  /** The messages that are complete with this piece. */
  push(piece: Buffer): Message[] {
    this.#rest = Buffer.concat([this.#rest, piece])
    const messages: Message[] = []
    for (let one = this.#take(); one; one = this.#take()) messages.push(one)
    return messages
  }

  #take(): Message | null {
    const typeBytes = this.#isStarting ? 0 : 1
    if (this.#rest.length < typeBytes + LENGTH_BYTES) return null
    const end = typeBytes + this.#rest.readInt32BE(typeBytes)
    if (this.#rest.length < end) return null
    const bytes = this.#rest.subarray(0, end)
    this.#rest = this.#rest.subarray(end)
    const type = bytes.toString('latin1', 0, typeBytes)
    this.#isStarting = false
    return { type, bytes }
  }
}

/** A parameter of a client's first message, such as `application_name`. */
export function startupParameter({ bytes }: Message, name: string): string | null {
  const fields = bytes.toString('utf8', 2 * LENGTH_BYTES).split('\0')
  const index = fields.findIndex((field, i) => i % 2 === 0 && field === name)
  return index < 0 ? null : (fields[index + 1] ?? null)
}

/** What a client's simple query says; empty for every other message. */
export const queryText = ({ type, bytes }: Message): string =>
  type === 'Q' ? bytes.toString('utf8', 1 + LENGTH_BYTES, bytes.length - 1) : ''

/** A client's simple query that commits. */
export const isCommit = (text: string): boolean => text === 'commit'
