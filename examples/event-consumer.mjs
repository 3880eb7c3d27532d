/**
 * An event consumer: hears of everything that is committed, in order, over restarts of the server and of
 * itself. It prints one line an event, and where it would go on.
 *
 *     node examples/event-consumer.mjs http://127.0.0.1:8642/mcp [after]
 *
 * Keep the number of the last event you have handled, and begin with it the next time.
 */
import { MCPSession } from 'catalyst-db/client'

const [url, after] = process.argv.slice(2)
const stop = new AbortController()
process.once('SIGTERM', () => stop.abort())
process.once('SIGINT', () => stop.abort())

const session = await MCPSession.open('event-consumer', { url })
try {
  const events = session.events({
    types: ['db.transaction'],
    ...(after === undefined ? {} : { after: Number(after) }),
    signal: stop.signal,
  })
  for await (const { seq, type, data } of events) {
    const changed = (data.refs ?? []).map(({ kind, symbol }) => `${kind} ${symbol ?? ''}`.trim())
    console.log(`${seq} ${type}: ${changed.join(', ')}`)
  }
} finally {
  await session.close()
}
