import { verify } from './measure.mjs'

/**
 * The transactions that the product runs for these stories, statement by statement with their
 * values, as a server with a hook in its driver sent them to a database of its own. They can be
 * replayed on any other copy of that database.
 */
export async function recordTransactions(bench, stories) {
  const database = await bench.database()
  const server = await bench.stdio(database, { hooked: 'capture' })
  for (const story of stories) await server.call('persist_news_catalyst', story)
  const transactions = transactionsIn(await server.ask('statements'))
  await server.close()
  const persisting = transactions.filter((statements) =>
    statements.some(({ text }) => text.includes('insert into catalyst.news_articles')),
  )
  verify(persisting.length === stories.length, 'a transaction was not recorded')
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
