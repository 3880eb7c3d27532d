/** How the binary format of COPY begins: its signature, flags, and the length of what follows them. */
const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1')
const HEADER_BYTES = SIGNATURE.length + 8
/** `-1` where the number of columns of a row would be. */
const TRAILER = -1
const NULL = -1

/** What is wrong with what COPY wrote; a sentence's end. */
export class CopyDamaged extends Error {}

/**
 * Counts the rows of the binary format of COPY and follows its lengths to the trailer.
 *
 * @throws CopyDamaged
 * @see https://www.postgresql.org/docs/current/sql-copy.html "Binary Format"
 */
export async function countBinaryRows(source: AsyncIterable<Buffer>): Promise<number> {
  const reader = new BinaryRows()
  for await (const chunk of source) reader.take(chunk)
  return reader.end()
}

class BinaryRows {
  #rows = 0
  #expects: 'header' | 'row' | 'value' | 'end' = 'header'
  /** Columns of the row that are still to come. */
  #columns = 0
  /** Bytes of a value that are still to come. */
  #skip = 0
  #rest: Buffer = Buffer.alloc(0)

  take(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const skipped = Math.min(this.#skip, bytes.length - at)
      this.#skip -= skipped
      at += skipped
      const taken = this.#skip > 0 ? 0 : this.#step(bytes, at)
      if (taken === 0) break
      at += taken
    }
    this.#rest = bytes.subarray(at)
  }

  end(): number {
    if (this.#expects !== 'end') throw new CopyDamaged('it is cut off')
    return this.#rows
  }

  /** Reads what is expected, and answers how many bytes it has; 0 while not all of them are there. */
  #step(bytes: Buffer, at: number): number {
    const left = bytes.length - at
    switch (this.#expects) {
      case 'header':
        return left < HEADER_BYTES ? 0 : this.#header(bytes)
      case 'row':
        return left < 2 ? 0 : this.#row(bytes.readInt16BE(at))
      case 'value':
        return left < 4 ? 0 : this.#value(bytes.readInt32BE(at))
      case 'end':
        if (left > 0) throw new CopyDamaged('something follows its end')
        return 0
    }
  }

  #header(bytes: Buffer): number {
    if (!bytes.subarray(0, SIGNATURE.length).equals(SIGNATURE)) {
      throw new CopyDamaged('it does not begin as COPY begins')
    }
    this.#skip = bytes.readInt32BE(SIGNATURE.length + 4)
    this.#expects = 'row'
    return HEADER_BYTES
  }

  #row(columns: number): number {
    if (columns < TRAILER) throw new CopyDamaged('a row of it has no number of columns')
    if (columns === TRAILER) this.#expects = 'end'
    else {
      this.#rows += 1
      this.#columns = columns
      if (columns > 0) this.#expects = 'value'
    }
    return 2
  }

  #value(length: number): number {
    if (length < NULL) throw new CopyDamaged('a value of it has no length')
    this.#skip = length === NULL ? 0 : length
    this.#columns -= 1
    if (this.#columns === 0) this.#expects = 'row'
    return 4
  }
}

/** Counts the rows of the text format of COPY: every line is one. */
export async function countTextRows(source: AsyncIterable<Buffer>): Promise<number> {
  let rows = 0
  let last = 0x0a
  for await (const chunk of source) {
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, at + 1)) rows += 1
    last = chunk.at(-1) ?? last
  }
  if (last !== 0x0a) throw new CopyDamaged('it is cut off')
  return rows
}
