// @ts-check
/** Reads one big script in a thread of its own, which takes its memory with it when it ends. */
import { parentPort, workerData } from 'node:worker_threads'
import { readStatements } from './read-statements.mjs'

/** Few enough that taking one batch over never holds up the main thread. */
const BATCH_PARTS = 5_000

try {
  let batch = []
  let size = 0
  for (const { statement, parts } of await readStatements(workerData)) {
    batch.push(statement)
    size += parts
    if (size < BATCH_PARTS) continue
    parentPort?.postMessage({ statements: batch })
    batch = []
    size = 0
  }
  parentPort?.postMessage({ statements: batch })
  parentPort?.postMessage({ done: true })
} catch (error) {
  const { name, message, sqlDetails } = /** @type {import('libpg-query').SqlError} */ (error)
  parentPort?.postMessage({ failure: { name, message, sqlDetails } })
}
