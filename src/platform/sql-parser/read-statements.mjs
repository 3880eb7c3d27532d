// @ts-check
/**
 * Reads a script by PostgreSQL's parser, and makes of its syntax tree what can be handed over. JavaScript,
 * because threads are started from it and the tests run the sources.
 */
import { parse } from 'libpg-query'

/** @typedef {{ tree: import('libpg-query').Node, text: string, line: number, index: number }} ReadStatement */

const MAX_STATEMENTS = 50_000
/** Objects of a syntax tree: what one statement may have is handed over and judged within a turn. */
const MAX_PARTS = 100_000
const MAX_TOTAL_PARTS = 1_000_000
/** Half of what the stack of the main thread can copy. */
const MAX_LEVELS = 1_500
/** Items of a list that are kept when they are nothing but constants and columns. */
const ITEMS = 100

/** A script that could be read, and is more than is looked at. */
class TooMuch extends Error {
  /** @override */
  name = 'TooMuch'
}

/**
 * The statements of a script, each with its place; of long lists only what may matter.
 *
 * @param {string} text
 * @returns {Promise<{ statement: ReadStatement, parts: number }[]>}
 */
export async function readStatements(text) {
  const { stmts = [] } = await parse(text)
  if (stmts.length > MAX_STATEMENTS) {
    throw new TooMuch(`has ${stmts.length} statements; ${MAX_STATEMENTS} are allowed`)
  }
  const bytes = Buffer.from(text, 'utf8')
  let line = 1
  let seen = 0
  let total = 0
  return stmts.flatMap(({ stmt, stmt_location: start = 0, stmt_len }, at) => {
    line += newlines(bytes.subarray(seen, start))
    seen = start
    if (!stmt) return []
    const parts = shorten(stmt, at + 1)
    total += parts
    if (total > MAX_TOTAL_PARTS) throw new TooMuch(`has more than ${MAX_TOTAL_PARTS} parts`)
    const end = stmt_len ? start + stmt_len : bytes.length
    const own = bytes.toString('utf8', start, end).trimEnd()
    return [{ statement: { tree: stmt, text: own, line, index: at + 1 }, parts }]
  })
}

/** @param {Buffer} bytes */
function newlines(bytes) {
  let count = 0
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) count++
  return count
}

/**
 * Shortens the long lists of a statement and counts what is left. Without recursion: it may be nested
 * deeper than the stack.
 *
 * @param {object} tree
 * @param {number} index
 */
function shorten(tree, index) {
  /** @type {{ value: object, level: number }[]} */
  const waiting = [{ value: tree, level: 1 }]
  let parts = 0
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { value, level } = next
    parts++
    if (level > MAX_LEVELS) throw new RangeError('nested too deeply')
    if (parts > MAX_PARTS)
      throw new TooMuch(`has more than ${MAX_PARTS} parts in statement ${index}`)
    for (const [key, child] of Object.entries(value)) {
      if (typeof child !== 'object' || child === null) continue
      const isRows = key === 'valuesLists'
      const kept = Array.isArray(child) && child.length > ITEMS ? shortened(child, isRows) : child
      if (kept !== child) Reflect.set(value, key, kept)
      waiting.push({ value: kept, level: level + 1 })
    }
  }
  return parts
}

/**
 * @param {readonly object[]} list
 * @param {boolean} isRows
 */
const shortened = (list, isRows) => list.filter((item, at) => at < ITEMS || !isPlain(item, isRows))

/**
 * A constant, a column, or a row of a VALUES list that is made of them, where casts call nothing that is
 * not measured.
 *
 * @param {object} item
 * @param {boolean} isRows
 * @returns {boolean}
 */
function isPlain(item, isRows) {
  if ('A_Const' in item || 'ColumnRef' in item) return true
  if (!isRows) return false
  const { items } = Object('List' in item ? item.List : {})
  if (Array.isArray(items)) return items.every((value) => isPlain(value, true))
  const { arg } = Object('TypeCast' in item ? item.TypeCast : {})
  return typeof arg === 'object' && isPlain(arg, true)
}
