import { Worker } from 'node:worker_threads'
import type { RawStmt, SqlErrorDetails } from 'libpg-query'

/** What the parser threw, in the form it has after crossing threads. */
export interface ParseFailure {
  readonly name: string
  readonly message: string
  readonly sqlDetails?: SqlErrorDetails | undefined
}

/** The statements, or why there are none. */
export type Parsed =
  | { readonly statements: readonly RawStmt[] }
  | { readonly failure: ParseFailure }

type Message = Parsed | { readonly done: true }

/**
 * About 20 ms of parsing; and less text than it takes to overflow the stack, which would leave the
 * parser of the main thread in an unknown state. A level of nesting takes at least two bytes, and the
 * stack holds more than 5,000 levels.
 */
const MAIN_THREAD_BYTES = 8 * 1024
/** Five times what 5 MB of small statements were seen to need. */
const WORKER_HEAP_MB = 2_048

/** Parses here what is small, and in a thread of its own what would hold up the others. */
export function rawParse(text: string, bytes: number): Promise<Parsed> {
  if (text === '') return Promise.resolve({ statements: [] })
  return bytes > MAIN_THREAD_BYTES ? parseAside(text) : parseHere(text)
}

/** The parser's 1.7 MB of WebAssembly are loaded by the first script, not by every start. */
async function parseHere(text: string): Promise<Parsed> {
  const { parse } = await import('libpg-query')
  try {
    return { statements: (await parse(text)).stmts ?? [] }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { failure: error }
  }
}

function parseAside(text: string): Promise<Parsed> {
  const worker = new Worker(new URL('./parse-worker.mjs', import.meta.url), {
    workerData: text,
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
  })
  const statements: RawStmt[] = []
  return new Promise((resolve) => {
    worker.on('message', (message: Message) => {
      if ('statements' in message) for (const item of message.statements) statements.push(item)
      else resolve('done' in message ? { statements } : message)
    })
    worker.on('error', ({ name, message }) => resolve({ failure: { name, message } }))
  })
}
