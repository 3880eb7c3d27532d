import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { fill, uniqueSymbol } from './support.js'

const { client, connect, database } = await startApp()
const WRITERS = 64

test('64 writers of one symbol at once lose no fill, and none of them sees a deadlock', async () => {
  const symbol = uniqueSymbol()
  const clients = await Promise.all(Array.from({ length: 8 }, () => connect('legacy')))
  const send = (n: number) =>
    clients[n % clients.length]?.tool(
      'persist_trade_execution',
      fill(
        { symbol, side: n % 3 === 0 ? 'sell' : 'buy', quantity: n + 1, execution_id: `x-${n}` },
        { fill_price: '10' },
      ),
    )
  const answers = await Promise.all(Array.from({ length: WRITERS }, (_, n) => send(n)))
  expect(new Set(answers.map(({ trade_id }) => trade_id)).size).toBe(WRITERS)
  const net = Array.from({ length: WRITERS }, (_, n) => (n % 3 === 0 ? -1 : 1) * (n + 1))
  const expected = net.reduce((total, one) => total + one)
  const { items } = await client.resource(`positions?symbol=${symbol}&status=open`)
  expect(items).toMatchObject([{ direction: 'long', qty_open: String(expected) }])
  const [row] = await database.query(
    `select count(*)::int as fills, count(distinct t.applied_seq)::int as places,
       max(t.applied_seq) as last
     from catalyst.trade_executions t join catalyst.securities s using (security_id)
     where s.symbol = $1`,
    [symbol],
  )
  expect(row).toEqual({ fills: WRITERS, places: WRITERS, last: WRITERS })
})

test('one fill delivered many times at once is one fill', async () => {
  const symbol = uniqueSymbol()
  const sent = fill({ symbol, execution_id: `x-${symbol}` })
  const answers = await Promise.all(
    Array.from({ length: 16 }, () => client.tool('persist_trade_execution', sent)),
  )
  expect(new Set(answers.map(({ trade_id }) => trade_id)).size).toBe(1)
  expect(answers.filter(({ position_updated }) => position_updated)).toHaveLength(1)
  const { items } = await client.resource(`positions?symbol=${symbol}`)
  expect(items).toMatchObject([{ qty_open: '100' }])
})

test('sessions that lock two symbols in opposite order end with one success and one retryable conflict', async () => {
  const [a, b] = [uniqueSymbol(), uniqueSymbol()]
  for (const symbol of [a, b]) await client.tool('persist_trade_execution', fill({ symbol }))
  const open = async (symbol: string) => {
    const { session_id } = await client.tool('start_db_session')
    await client.tool('persist_trade_execution', fill({ symbol, session_id }))
    return session_id
  }
  const [first, second] = [await open(a), await open(b)]
  const results = await Promise.allSettled([
    client.tool('persist_trade_execution', fill({ symbol: b, session_id: first })),
    client.tool('persist_trade_execution', fill({ symbol: a, session_id: second })),
  ])
  const refused = results.filter((result) => result.status === 'rejected')
  expect(refused).toHaveLength(1)
  expect(refused[0]?.reason.body).toMatchObject({ code: 'conflict', retryable: true })
  for (const session_id of [first, second]) {
    await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  }
})

test('an execution id that an open session uses for another symbol is a conflict once that commits', async () => {
  const execution_id = `x-${uniqueSymbol()}`
  const { session_id } = await client.tool('start_db_session')
  const first = fill({ symbol: uniqueSymbol(), execution_id, session_id })
  await client.tool('persist_trade_execution', first)
  const second = client.refused(
    'persist_trade_execution',
    fill({ symbol: uniqueSymbol(), execution_id }),
  )
  await waitFor(async () => {
    const [row] = await database.query(
      `select count(*)::int as n from pg_stat_activity
       where datname = current_database() and wait_event_type = 'Lock'`,
    )
    return row?.n === 1
  })
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await second).toMatchObject({ code: 'conflict' })
})
