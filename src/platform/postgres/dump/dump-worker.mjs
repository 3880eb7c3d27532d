// @ts-check
/**
 * Runs pg_dump, which waits for each answer where it stands: in a thread of its own it holds up nobody. Its
 * connection is the other thread's.
 */
import { receiveMessageOnPort, workerData } from 'node:worker_threads'
import { pgDump } from '@electric-sql/pglite-tools/pg_dump'

/** @type {{ args: string[], port: import('node:worker_threads').MessagePort, turn: Int32Array }} */
const { args, port, turn } = workerData

/** What it calls of the database that it was built for. */
const database = {
  query: async () => ({ rows: [{ search_path: '' }] }),
  exec: async () => [],
  /** @type {(bytes: Uint8Array, options: { onRawData: (bytes: Uint8Array) => void }) => void} */
  execProtocolRawStream: (bytes, { onRawData }) => {
    const before = Atomics.load(turn, 0)
    port.postMessage({ said: bytes.slice() })
    Atomics.wait(turn, 0, before)
    const { message } = receiveMessageOnPort(port) ?? {}
    if (message?.length > 0) onRawData(message)
  },
}

try {
  const file = await pgDump({ pg: /** @type {any} */ (database), args })
  port.postMessage({ text: await file.text() })
} catch (error) {
  port.postMessage({ failure: error instanceof Error ? error.message : String(error) })
}
