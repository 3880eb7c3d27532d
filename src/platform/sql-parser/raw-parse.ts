import { Worker } from 'node:worker_threads'
import { bulkhead } from 'cockatiel'
import type { SqlErrorDetails } from 'libpg-query'
import { AppError, abortError } from '../../errors.js'
import { codeFile } from '../../lib/package-files.js'
import type { ReadStatement } from './read-statements.mjs'
import { type ScriptStatement, untag } from './syntax.js'

/** What the parser threw, in the form it has after crossing threads. */
export interface ParseFailure {
  readonly name: string
  readonly message: string
  readonly sqlDetails?: SqlErrorDetails | undefined
}

/** The statements, or why there are none. */
export type Parsed =
  | { readonly statements: readonly ScriptStatement[] }
  | { readonly failure: ParseFailure }

type Message =
  | { readonly statements: readonly ReadStatement[] }
  | { readonly failure: ParseFailure }
  | { readonly done: true }

/**
 * About 20 ms of parsing; and less text than it takes to overflow the stack, which would leave the
 * parser of the main thread in an unknown state. A level of nesting takes at least two bytes, and the
 * stack holds more than 5,000 levels.
 */
const MAIN_THREAD_BYTES = 8 * 1024
/** A comment within comments is read once for each of them. */
const MAIN_THREAD_COMMENTS = 200
/** Five times what 5 MB of small statements were seen to need. */
const WORKER_HEAP_MB = 2_048
/** For a thread to start on a busy machine. */
const START_MS = 10_000
/** Ten times what honest text of any kind was seen to need. */
const MS_PER_KB = 10

/** Each takes a processor and the memory of its script. */
const threads = bulkhead(2, Number.MAX_SAFE_INTEGER)

/**
 * Parses here what is small, and in a thread of its own what would hold up the others: at most two at a
 * time, each until its deadline.
 *
 * @throws AppError `invalid_input` at the deadline, or why the signal was aborted
 */
export async function rawParse(text: string, bytes: number, signal: AbortSignal): Promise<Parsed> {
  if (signal.aborted) throw abortError(signal)
  if (isQuick(text, bytes)) return parseHere(text)
  // Who gives up while others are parsed does not wait for them; nothing is begun for it then.
  return sooner(signal, (stopped) =>
    threads.execute(() => {
      if (stopped.aborted) throw abortError(stopped)
      return parseAside(text, START_MS + (bytes / 1_024) * MS_PER_KB, stopped)
    }),
  )
}

const isQuick = (text: string, bytes: number): boolean =>
  bytes <= MAIN_THREAD_BYTES &&
  text.split('/*', MAIN_THREAD_COMMENTS + 1).length <= MAIN_THREAD_COMMENTS

const tagged = ({ tree, ...place }: ReadStatement): ScriptStatement => ({
  ...untag(tree),
  ...place,
})

/** The parser's 1.7 MB of WebAssembly are loaded by the first script, not by every start. */
async function parseHere(text: string): Promise<Parsed> {
  if (text === '') return { statements: [] }
  const { readStatements } = await import('./read-statements.mjs')
  try {
    return { statements: (await readStatements(text)).map(({ statement }) => tagged(statement)) }
  } catch (error) {
    if (!(error instanceof Error)) throw error
    return { failure: error }
  }
}

/** What the work answers, or the end of the signal, whichever comes first. */
function sooner<T>(signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(abortError(signal))
    signal.addEventListener('abort', stop, { once: true })
    work(signal)
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
  })
}

/** Its place is free again once the thread is gone, with all its memory. */
async function parseAside(text: string, deadlineMs: number, signal: AbortSignal): Promise<Parsed> {
  const worker = new Worker(codeFile('platform/sql-parser/parse-worker.mjs'), {
    workerData: text,
    resourceLimits: { maxOldGenerationSizeMb: WORKER_HEAP_MB },
  })
  let timer: NodeJS.Timeout | undefined
  try {
    return await sooner(
      signal,
      () =>
        new Promise<Parsed>((resolve, reject) => {
          timer = setTimeout(() => reject(tooSlow(deadlineMs)), deadlineMs)
          const statements: ScriptStatement[] = []
          worker.on('message', (message: Message) => {
            if ('statements' in message)
              for (const one of message.statements) statements.push(tagged(one))
            else resolve('done' in message ? { statements } : message)
          })
          const fail = ({ name, message }: Error) => resolve({ failure: { name, message } })
          worker.on('error', fail)
          worker.on('messageerror', fail)
          worker.on('exit', () => fail(new Error('the thread of the parser ended without a word')))
        }),
    )
  } finally {
    clearTimeout(timer)
    await worker.terminate()
  }
}

const tooSlow = (deadlineMs: number): AppError =>
  new AppError(
    'invalid_input',
    `The script is too complicated: it was not read within ${Math.round(deadlineMs / 1_000)} s.`,
    {
      hint: 'Nothing was run. Write it with fewer comments inside of comments and shorter lists, or divide it.',
    },
  )
