import { verify } from './measure.mjs'
import { databaseFor } from './writes.mjs'

/**
 * The transactions that the product runs for these calls, statement by statement with their values, as
 * a server with a hook in its driver sent them to a database of its own. They can be replayed on any
 * other copy of that database.
 */
export async function recordTransactions(bench, writes, calls) {
  const server = await bench.stdio(await databaseFor(bench, writes), { hooked: 'capture' })
  for (const call of calls) await server.call(writes.tool, call)
  const transactions = transactionsIn(await server.ask('statements'))
  await server.close()
  const persisting = transactions.filter((statements) =>
    statements.some(({ text }) => text.includes(`insert into ${writes.table}`)),
  )
  verify(persisting.length === calls.length, 'a transaction was not recorded')
  return persisting
}

/** Cuts what each connection sent into transactions. */
function transactionsIn(statements) {
  const open = new Map()
  const transactions = []
  for (const statement of statements) {
    const { connection, text } = statement
    if (/^begin/i.test(text)) open.set(connection, [])
    open.get(connection)?.push(statement)
    if (!/^commit/i.test(text) || !open.has(connection)) continue
    transactions.push(open.get(connection))
    open.delete(connection)
  }
  return transactions
}

const CHANGES = /\b(insert into|update)\b/

/** Runs a recorded transaction on a bare connection; it must change as many rows as it did. */
export async function replay(client, statements) {
  for (const { text, values, name, rowCount } of statements) {
    const result = await client.query(name ? { text, values, name } : { text, values })
    if (!CHANGES.test(text) || result.rowCount === rowCount) continue
    throw new Error(`the replay changed ${result.rowCount} rows, not ${rowCount}: ${text}`)
  }
}
