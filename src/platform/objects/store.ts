import type { Readable } from 'node:stream'
import { AppError } from '../../errors.js'

/** What a list tells of one object. */
export interface ObjectInfo {
  readonly key: string
  readonly bytes: number
  readonly modifiedAt: Date
}

/** What became of an object that was to be removed; `retained`: the store keeps it, or gives no right to remove. */
export type Removal = 'removed' | 'missing' | 'retained'

interface Cancellable {
  readonly signal?: AbortSignal | undefined
}

/**
 * Where objects are kept by their keys. A key is written once and never again with other content, so the
 * same holds on a store that refuses to overwrite and to delete early.
 */
export interface ObjectStore {
  /** As it is shown: `file:///dir` or `s3://bucket/prefix`, without secrets. */
  readonly location: string
  locationOf(key: string): string
  /**
   * Stores an object that is there as a whole or not at all; it is durable when this resolves.
   *
   * @throws AppError `conflict` when the key holds other content, `unavailable` when the store does not take it
   */
  put(
    key: string,
    body: Readable | Uint8Array,
    options?: Cancellable,
  ): Promise<{ readonly bytes: number }>
  /** @throws ObjectMissing, AppError `unavailable` */
  get(key: string, options?: Cancellable): Promise<Readable>
  head(key: string): Promise<ObjectInfo | null>
  /** Every object whose key begins with `prefix`, in the order of the bytes of their keys. */
  list(prefix: string, options?: { readonly after?: string }): AsyncIterable<ObjectInfo>
  remove(key: string): Promise<Removal>
  /** Forgets uploads that nobody ended, begun before that time; how many. */
  abandonUploads(before: Date): Promise<number>
  /** Looks whether the store can be used; changes nothing. @throws AppError that says why not */
  check(): Promise<void>
  close(): void
}

/** There is no object of that key. */
export class ObjectMissing extends AppError {
  readonly key: string

  constructor(key: string, location: string) {
    super('not_found', `The store has no object ${location}.`)
    this.key = key
  }
}

const PART = /^[A-Za-z0-9_][A-Za-z0-9._-]*$/

/**
 * Keys are made by us; one that is not of this form cannot be, whatever it would lead to.
 *
 * @throws TypeError
 */
export function checkKey(key: string): string {
  if (key.length > 512 || !key.split('/').every((part) => PART.test(part))) {
    throw new TypeError('not a key of an object')
  }
  return key
}
