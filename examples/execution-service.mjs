/**
 * An execution service: records a signal, the fill that came of it and reads the position back, all in one
 * transaction. The fill has happened at a broker; nothing here places an order.
 *
 *     node examples/execution-service.mjs http://127.0.0.1:8642/mcp AAPL
 */
import { MCPSession, ToolError } from 'catalyst-db/client'

const [url, symbol] = process.argv.slice(2)
const session = await MCPSession.open('execution-service', { url })
try {
  const fill = {
    symbol,
    side: 'buy',
    quantity: '100',
    // The broker's own number: the same fill told twice changes nothing.
    execution_id: `example-${Date.now()}`,
    execution_details: {
      order_type: 'limit',
      fill_price: '187.25',
      fill_time: new Date().toISOString(),
    },
  }
  const stored = await session.transaction((tx) => tx.tool('persist_trade_execution', fill))
  const { qty_open, avg_entry_price } = stored.position
  console.log(`${symbol}: ${qty_open} open at ${avg_entry_price}`)

  const again = await session.tool('persist_trade_execution', fill)
  console.log(
    `told again: ${again.trade_id === stored.trade_id ? 'the same trade' : 'a second trade'}`,
  )
} catch (error) {
  if (!(error instanceof ToolError)) throw error
  // What was wrong, and what to do next.
  console.error(error.message)
  process.exitCode = 1
} finally {
  await session.close()
}
