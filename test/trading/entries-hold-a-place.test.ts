import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { signal, storePosition, uniqueAccount, uniqueSymbol } from './signals.js'
import { fill } from './support.js'

const { client, connect, database } = await startApp()
const elsewhere = await startApp({ database })

const MOST = 5
const persist = (given: Record<string, unknown>, by = client) =>
  by.tool('persist_trading_signal', signal(given))
const statusesOf = (answers: readonly { status: string }[]) =>
  answers.map(({ status }) => status).sort()
const accepted = (answers: readonly { status: string }[]) =>
  answers.filter(({ status }) => status === 'pending').length
const retire = (signal_id: string) =>
  database.query(
    `update catalyst.trading_signals
     set created_at = created_at - interval '1 day', expires_at = now() - interval '1 ms'
     where signal_id = $1`,
    [signal_id],
  )

test('of twelve entries sent at once to two servers, five have a place', async () => {
  const account_id = uniqueAccount()
  const clients = [client, elsewhere.client, await connect('legacy')]
  const answers = await Promise.all(
    Array.from({ length: 12 }, (_, n) => persist({ account_id }, clients[n % clients.length])),
  )
  expect(accepted(answers)).toBe(MOST)
  const reasons = answers.flatMap(({ reasons }) => reasons)
  expect(reasons).toHaveLength(7)
  expect(new Set(reasons)).toEqual(
    new Set(['open_positions: 0 open and 5 pending, must be below 5']),
  )
})

test('positions and pending entries share the places; those of others do not count', async () => {
  const account_id = uniqueAccount()
  for (let i = 0; i < 3; i++) await storePosition(database, { account_id, symbol: uniqueSymbol() })
  await persist({})
  expect(await persist({ account_id })).toMatchObject({ status: 'pending' })
  expect(await persist({ account_id })).toMatchObject({ status: 'pending' })
  expect((await persist({ account_id })).reasons).toEqual([
    'open_positions: 3 open and 2 pending, must be below 5',
  ])
})

test('a second entry in a symbol waits for the first, whichever way it goes', async () => {
  const [account_id, symbol] = [uniqueAccount(), uniqueSymbol()]
  const answers = await Promise.all(
    ['BUY', 'SELL', 'BUY', 'SELL'].map((signal_type) =>
      persist({ account_id, symbol, signal_type }),
    ),
  )
  expect(statusesOf(answers)).toEqual(['pending', 'rejected', 'rejected', 'rejected'])
  const first = answers.find(({ status }) => status === 'pending')
  expect(answers.find(({ status }) => status === 'rejected')?.reasons).toEqual([
    `symbol_position: none open and the entry ${first?.signal_id} pending in the symbol, must be none`,
  ])
  expect((await persist({ account_id: uniqueAccount(), symbol })).status).toBe('pending')
})

test.each<[string, (given: { signal_id: string; account_id: string; symbol: string }) => unknown]>([
  [
    'is cancelled',
    ({ signal_id }) => client.tool('update_signal_status', { signal_id, status: 'cancelled' }),
  ],
  ['has expired, which nobody has to write down', ({ signal_id }) => retire(signal_id)],
  [
    'is executed and left again',
    async ({ signal_id, account_id, symbol }) => {
      const one = { symbol, account_id, quantity: '1' }
      await client.tool('persist_trade_execution', fill({ ...one, signal_id }))
      await client.tool('persist_trade_execution', fill({ ...one, side: 'sell' }))
    },
  ],
])('an entry that %s leaves its place', async (_, leave) => {
  const account_id = uniqueAccount()
  const entries = []
  for (let i = 0; i < MOST; i++) {
    const symbol = uniqueSymbol()
    entries.push({ symbol, account_id, ...(await persist({ account_id, symbol })) })
  }
  const [first] = entries
  expect((await persist({ account_id, symbol: first?.symbol })).status).toBe('rejected')
  await leave(first as (typeof entries)[number])
  expect(await persist({ account_id, symbol: first?.symbol })).toMatchObject({ status: 'pending' })
  expect((await persist({ account_id })).status).toBe('rejected')
})

test('an executed entry keeps its place as a position, once', async () => {
  const account_id = uniqueAccount()
  for (let i = 0; i < MOST - 1; i++) {
    const symbol = uniqueSymbol()
    const { signal_id } = await persist({ account_id, symbol })
    await client.tool('persist_trade_execution', fill({ symbol, account_id, signal_id }))
  }
  expect((await persist({ account_id })).status).toBe('pending')
  expect((await persist({ account_id })).reasons).toEqual([
    'open_positions: 4 open and 1 pending, must be below 5',
  ])
})

test('neither HOLD nor an exit takes a place, and neither is kept out', async () => {
  const [account_id, symbol] = [uniqueAccount(), uniqueSymbol()]
  await storePosition(database, { account_id, symbol })
  for (let i = 0; i < 6; i++) await persist({ account_id, signal_type: 'HOLD' })
  for (let i = 0; i < 2; i++) {
    const exit = await persist({ account_id, symbol, signal_type: 'SELL' })
    expect(exit).toMatchObject({ status: 'pending', risk_parameters: { intent: 'exit' } })
  }
  const answers = await Promise.all(Array.from({ length: 6 }, () => persist({ account_id })))
  expect(accepted(answers)).toBe(MOST - 1)
})

test.each(['read_committed', 'repeatable_read', 'serializable'])(
  'entries of %s sessions at once, over two servers, never pass the limit',
  async (isolation_level) => {
    const account_id = uniqueAccount()
    for (let i = 0; i < MOST - 1; i++) await persist({ account_id })
    const servers = [client, elsewhere.client]
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, async (_, n) => {
        const by = servers[n % 2] ?? client
        const { session_id } = await by.tool('start_db_session', { isolation_level })
        try {
          const { status } = await by.tool('persist_trading_signal', {
            ...signal({ account_id }),
            session_id,
          })
          await by.tool('end_db_session', { session_id, outcome: 'commit' })
          return status
        } catch (error) {
          await by.tool('end_db_session', { session_id, outcome: 'rollback' })
          return String(error)
        }
      }),
    )
    expect(outcomes.filter((outcome) => outcome === 'pending')).toHaveLength(1)
    for (const outcome of outcomes) expect(outcome).toMatch(/^(pending|rejected)$|conflict/)
  },
)

test('pending entries count among the trades of the day, fills of one order as one', async () => {
  const account_id = uniqueAccount()
  const now = new Date().toISOString()
  const trade = (more: object) =>
    client.tool('persist_trade_execution', {
      ...fill({ symbol: uniqueSymbol(), account_id, quantity: '1' }, { fill_time: now }),
      ...more,
    })
  const tradesIn = async () => {
    const { signal_id, risk_parameters } = await persist({ account_id })
    await client.tool('update_signal_status', { signal_id, status: 'cancelled' })
    const { checks } = risk_parameters
    return checks.find(({ check }: { check: string }) => check === 'trades_today').detail
  }
  const symbol = uniqueSymbol()
  for (let i = 0; i < 3; i++) await trade({ symbol, order_id: 'o-1', execution_id: `x-${i}` })
  expect(await tradesIn()).toBe('1 trades, must be below 20')
  const { signal_id } = await persist({ account_id, symbol: 'AAPL' })
  for (let i = 0; i < 3; i++) await trade({ symbol: 'AAPL', signal_id })
  expect(await tradesIn()).toBe('2 trades, must be below 20')
  for (const side of ['buy', 'sell']) await trade({ symbol: 'MSFT', side })
  expect(await tradesIn()).toBe('4 trades, must be below 20')
  await persist({ account_id, symbol: 'MSFT' })
  expect(await tradesIn()).toBe('4 trades and 1 pending, must be below 20')
})
