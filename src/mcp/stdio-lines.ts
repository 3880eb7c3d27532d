import { Transform, type TransformCallback } from 'node:stream'
import { parseJson } from '../lib/exact-json.js'
import { refuseParameters } from './parameters.js'

const NEWLINE = 10
const PARSE_ERROR = -32_700
const INVALID_REQUEST = -32_600

/** A line that is no message, as it is to be answered. */
export interface RefusedLine {
  readonly id: string | number | null
  readonly code: number
  readonly message: string
}

/**
 * Passes on the lines that are JSON-RPC messages and reports the others, which the SDK would drop
 * without a word: their sender would wait for ever.
 */
export class MessageLines extends Transform {
  readonly #maxBytes: number
  readonly #refuse: (line: RefusedLine) => void
  #parts: Buffer[] = []
  #bytes = 0

  constructor(options: {
    readonly maxBytes: number
    readonly refuse: (line: RefusedLine) => void
  }) {
    super()
    this.#maxBytes = options.maxBytes
    this.#refuse = options.refuse
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    let from = 0
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, from)) {
      this.#keep(chunk.subarray(from, end))
      this.#endLine()
      from = end + 1
    }
    this.#keep(chunk.subarray(from))
    done()
  }

  /** What is too long is read to its end and dropped. */
  #keep(part: Buffer): void {
    this.#bytes += part.length
    if (this.#bytes > this.#maxBytes) this.#parts = []
    else if (part.length > 0) this.#parts.push(part)
  }

  #endLine(): void {
    const isTooLong = this.#bytes > this.#maxBytes
    const line = Buffer.concat(this.#parts).toString('utf8').trim()
    this.#parts = []
    this.#bytes = 0
    if (isTooLong) {
      const message = `Invalid Request: the message is larger than ${this.#maxBytes} bytes`
      this.#refuse({ id: null, code: INVALID_REQUEST, message })
    } else if (line !== '') this.#pass(line)
  }

  #pass(line: string): void {
    let message: unknown
    try {
      message = parseJson(line)
    } catch {
      this.#refuse({ id: null, code: PARSE_ERROR, message: 'Parse error: the line is not JSON' })
      return
    }
    const refused = refuseParameters(message)
    if (refused) this.#refuse(refused)
    else if (isMessage(message)) this.push(`${JSON.stringify(message)}\n`)
    else this.#refuse({ id: idOf(message), code: INVALID_REQUEST, message: reasonOf(message) })
  }
}

/** A request, a notification or a response: https://www.jsonrpc.org/specification */
function isMessage(value: unknown): boolean {
  const { jsonrpc, method, id, params, result, error } = Object(value)
  if (jsonrpc !== '2.0' || Array.isArray(value)) return false
  if (params !== undefined && (typeof params !== 'object' || params === null)) return false
  if (typeof method === 'string') return id === undefined || isId(id)
  return method === undefined && isId(id) && (result !== undefined || error !== undefined)
}

const isId = (id: unknown): id is string | number => typeof id === 'string' || Number.isInteger(id)

const idOf = (value: unknown): string | number | null => {
  const { id } = Object(value)
  return isId(id) ? id : null
}

const reasonOf = (value: unknown): string =>
  Array.isArray(value)
    ? 'Invalid Request: batches are not part of this protocol, send one message a line'
    : 'Invalid Request: not a JSON-RPC 2.0 message'
