import { closeSync, copyFileSync, openSync, readSync, statSync, truncateSync } from 'node:fs'

const LIMIT_BYTES = 10 * 1024 * 1024
const TAIL_BYTES = 4096

/**
 * The log of a child process. It is handed over as a file descriptor, so the child can write after
 * this process has gone; it is opened for appending, so it can be cut while the child writes.
 */
export class LogFile {
  readonly path: string

  constructor(path: string) {
    this.path = path
  }

  /** Runs `use` with a descriptor to give to a child. */
  withDescriptor<T>(use: (descriptor: number) => T): T {
    const descriptor = openSync(this.path, 'a', 0o600)
    try {
      return use(descriptor)
    } finally {
      closeSync(descriptor)
    }
  }

  /** Keeps one older file of at most the limit or a little more; a few lines may be lost between. */
  rotate(): void {
    if (this.size() < LIMIT_BYTES) return
    copyFileSync(this.path, `${this.path}.1`)
    truncateSync(this.path, 0)
  }

  /** Its length now, to read later what was added. */
  size(): number {
    return statSync(this.path, { throwIfNoEntry: false })?.size ?? 0
  }

  /** The end of what was written after `offset`. */
  tail(offset: number): string {
    const length = Math.min(TAIL_BYTES, this.size() - offset)
    if (length <= 0) return ''
    const descriptor = openSync(this.path, 'r')
    try {
      const bytes = Buffer.alloc(length)
      const read = readSync(descriptor, bytes, 0, length, this.size() - length)
      return bytes.subarray(0, read).toString('utf8')
    } finally {
      closeSync(descriptor)
    }
  }
}
