import { MessageChannel, Worker } from 'node:worker_threads'
import { abortError } from '../../../errors.js'
import { codeFile } from '../../../lib/package-files.js'
import type { DirectSession } from '../direct.js'
import { dumpFailed } from './failure.js'
import { runProgram } from './program.js'
import type { BorrowedWire } from './wire.js'

/** What of a schema is made before its rows come, and what afterwards: pg_dump's own division. */
type Section = 'pre-data' | 'post-data'

/** The pg_dump that comes with the product, as WebAssembly, reads servers up to this one. */
const BUNDLED_MAJOR = 18

/** No log of ours, no place of files on another machine, and no lock for which others would wait long. */
const OPTIONS = [
  '--schema-only',
  '--no-publications',
  '--no-subscriptions',
  '--no-tablespaces',
  '--no-security-labels',
  '--lock-wait-timeout=10000',
]

/** Lines for psql, and for servers of 17 and later: others, and whoever is not psql, refuse them. */
const NOT_FOR_EVERYBODY = /^(?:\\(?:un)?restrict\b.*|SET transaction_timeout = .*;)\r?\n/gm

type FromWorker =
  | { readonly said: Uint8Array }
  | { readonly text: string }
  | { readonly failure: string }

/**
 * The SQL that makes one section of the schema, as the open transaction of a session sees it. What that has locked,
 * pg_dump need not wait for.
 *
 * @throws AppError `not_supported` for a server that no pg_dump here reads; `unavailable` when it fails
 */
export function schemaText(
  session: DirectSession,
  of: { readonly section: Section; readonly serverMajor: number },
  signal: AbortSignal,
): Promise<string> {
  const args = [...OPTIONS, `--section=${of.section}`]
  return session.lend(async (wire) => {
    const text =
      of.serverMajor <= BUNDLED_MAJOR
        ? await runBundled(wire, args, signal)
        : await runProgram(wire, args, of.serverMajor, signal)
    return text.replaceAll(NOT_FOR_EVERYBODY, '')
  })
}

async function runBundled(
  wire: BorrowedWire,
  args: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const { port1: mine, port2: its } = new MessageChannel()
  const turn = new Int32Array(new SharedArrayBuffer(4))
  const worker = new Worker(codeFile('platform/postgres/dump/dump-worker.mjs'), {
    workerData: { args, port: its, turn },
    transferList: [its],
  })
  const answer = (bytes: Uint8Array): void => {
    mine.postMessage(bytes)
    Atomics.add(turn, 0, 1)
    Atomics.notify(turn, 0)
  }
  try {
    return await new Promise<string>((resolve, reject) => {
      mine.on('message', (message: FromWorker) => {
        if ('text' in message) resolve(message.text)
        else if ('failure' in message) reject(dumpFailed(message.failure))
        else wire.exchange(message.said).then(answer, reject)
      })
      worker.on('error', reject)
      worker.on('exit', () => reject(dumpFailed('its thread ended without a word')))
      const stopped = AbortSignal.any([signal])
      stopped.addEventListener('abort', () => reject(abortError(signal)), { once: true })
    })
  } finally {
    await worker.terminate()
    mine.close()
  }
}
