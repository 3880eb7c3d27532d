import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { canonicalJson } from '../../src/lib/canonical-json.js'

/** The files of a store, by the keys of their objects. */
export class StoreFiles {
  readonly dir: string
  /** What was changed, as it was. */
  readonly #was = new Map<string, Buffer | null>()

  constructor(dir: string) {
    this.dir = dir
  }

  keys(pattern: RegExp): string[] {
    return readdirSync(this.dir, { recursive: true, encoding: 'utf8' })
      .filter((key) => pattern.test(key) && statSync(join(this.dir, key)).isFile())
      .sort()
  }

  /** The one of that name, or the first. */
  key(pattern: RegExp): string {
    const [key] = this.keys(pattern)
    if (key === undefined) throw new Error(`the store has nothing like ${pattern}`)
    return key
  }

  read(key: string): Buffer {
    return readFileSync(join(this.dir, key))
  }

  write(key: string, content: Uint8Array): void {
    this.#remember(key)
    writeFileSync(join(this.dir, key), content)
  }

  remove(key: string): void {
    this.#remember(key)
    rmSync(join(this.dir, key))
  }

  /** Undoes every change. */
  mend(): void {
    for (const [key, content] of this.#was) {
      if (content) writeFileSync(join(this.dir, key), content)
      else rmSync(join(this.dir, key), { force: true })
    }
    this.#was.clear()
  }

  #remember(key: string): void {
    if (!this.#was.has(key))
      this.#was.set(key, this.keys(/./).includes(key) ? this.read(key) : null)
  }

  /** Changes a document as one who knows how its sum is made. */
  edit(key: string, change: (fields: Record<string, unknown>) => void): void {
    const { self_sha256: _, ...fields } = JSON.parse(this.read(key).toString())
    change(fields)
    const self_sha256 = createHash('sha256').update(canonicalJson(fields)).digest('hex')
    this.write(key, Buffer.from(`${JSON.stringify({ ...fields, self_sha256 }, null, 1)}\n`))
  }
}

/** What happens to the bytes of any object. */
export const TO_ANY: Readonly<Record<string, (content: Buffer) => Buffer | null>> = {
  'its first bit flipped': (content) => flipped(content, 0),
  'a bit in its middle flipped': (content) => flipped(content, Math.floor(content.length / 2)),
  'its last bit flipped': (content) => flipped(content, content.length - 1),
  'its last byte cut off': (content) => content.subarray(0, -1),
  'its second half cut off': (content) => content.subarray(0, Math.floor(content.length / 2)),
  'nothing left in it': () => Buffer.alloc(0),
  'a byte more': (content) => Buffer.concat([content, Buffer.from('x')]),
  'zeros in its place': (content) => Buffer.alloc(content.length),
  'been deleted': () => null,
}

function flipped(content: Buffer, at: number): Buffer {
  const copy = Buffer.from(content)
  // Of a text the last byte is a line end; a bit of it makes another character.
  copy[at] = (copy[at] ?? 0) ^ 0x01
  return copy
}
