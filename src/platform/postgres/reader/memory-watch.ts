import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'

/** What one statement may take beside what all backends share. */
const MOST_KB = 384 * 1024
const EVERY_MS = 20

/** One statement that is watched. */
export interface Watched {
  /** It took too much. */
  readonly isOver: boolean
  end(): void
}

/**
 * PostgreSQL limits no memory of a statement as a whole: one value may have a gigabyte, and there may be
 * several. Where its backend is a process of this machine, the kernel says what it takes.
 */
export class MemoryWatch {
  readonly #path: string | null

  constructor(host: string | undefined, pid: number | null) {
    const path = `/proc/${pid}/status`
    this.#path = pid !== null && host?.startsWith('/') && isPostgres(path) ? path : null
  }

  /** Looks until the end, and calls `stop` when it takes too much. */
  watch(stop: () => void): Watched {
    const path = this.#path
    const state = { isOver: false }
    const timer = path === null ? undefined : setInterval(() => void look(path), EVERY_MS)
    const look = async (status: string): Promise<void> => {
      const text = await readFile(status, 'utf8').catch(() => '')
      if (state.isOver || privateKb(text) <= MOST_KB) return
      state.isOver = true
      stop()
    }
    return {
      get isOver() {
        return state.isOver
      },
      end: () => clearInterval(timer),
    }
  }
}

const privateKb = (status: string): number => Number(/^RssAnon:\s+(\d+)/m.exec(status)?.[1] ?? 0)

/** The socket may lead into another container, whose processes have other numbers. */
function isPostgres(path: string): boolean {
  try {
    return readFileSync(path, 'utf8').startsWith('Name:\tpostgres')
  } catch {
    return false
  }
}
