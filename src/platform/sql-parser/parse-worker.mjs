/**
 * Parses one big script in a thread of its own, which takes its memory with it when it ends.
 * JavaScript, because a thread is started from a file and the tests run the sources.
 */
import { parentPort, workerData } from 'node:worker_threads'
import { parse } from 'libpg-query'

/** Few enough that taking one batch over never holds up the main thread. */
const BATCH = 500
/** Rows of a VALUES list that are handed over, beside those that are more than constants. */
const ROWS = 100

try {
  const { stmts = [] } = await parse(workerData)
  stmts.forEach(shorten)
  for (let at = 0; at < stmts.length; at += BATCH) {
    parentPort?.postMessage({ statements: stmts.slice(at, at + BATCH) })
  }
  parentPort?.postMessage({ done: true })
} catch (error) {
  const { name, message, sqlDetails } = /** @type {import('libpg-query').SqlError} */ (error)
  parentPort?.postMessage({ failure: { name, message, sqlDetails } })
}

/** @param {import('libpg-query').RawStmt} statement */
function shorten({ stmt }) {
  const source = stmt && 'InsertStmt' in stmt ? stmt.InsertStmt.selectStmt : undefined
  const values = source && 'SelectStmt' in source ? source.SelectStmt : undefined
  if (!values?.valuesLists) return
  values.valuesLists = values.valuesLists.filter((row, at) => at < ROWS || !isPlain(row))
}

/** @param {import('libpg-query').Node} row */
function isPlain(row) {
  const items = 'List' in row ? (row.List.items ?? []) : [row]
  return items.every((item) => {
    const value = 'TypeCast' in item ? item.TypeCast.arg : item
    return value !== undefined && 'A_Const' in value
  })
}
