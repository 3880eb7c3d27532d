import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { signal, uniqueAccount, uniqueSymbol } from './signals.js'

const { client, database } = await startApp()
const elsewhere = await startApp({ database })
const servers = [client, elsewhere.client]

/** Limits of the policy unless an operator changes them. */
const MOST_POSITIONS = 5
const MOST_TRADES = 20

type Action =
  | { readonly act: 'enter'; readonly symbol: number; readonly signal_type: 'BUY' | 'SELL' }
  | { readonly act: 'fill' | 'cancel' | 'leave'; readonly pick: number }

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      act: fc.constant('enter' as const),
      symbol: fc.nat(6),
      signal_type: fc.constantFrom('BUY' as const, 'SELL' as const),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      act: fc.constantFrom('fill' as const, 'fill' as const, 'cancel' as const, 'leave' as const),
      pick: fc.nat(4),
    }),
  },
)

interface Entry {
  readonly signal_id: string
  readonly symbol: string
  readonly signal_type: 'BUY' | 'SELL'
  readonly intent: string
}

interface Position {
  readonly symbol: string
  readonly direction: 'long' | 'short'
  readonly qty_open: string
}

/** What an account holds and is about to hold, as anybody reads it. */
async function booksOf(account_id: string) {
  const read = (list: string) => client.resource(`${list}&account_id=${account_id}&limit=500`)
  const [pending, open, trades] = await Promise.all([
    read('signals?status=pending'),
    read('positions?status=open'),
    read('trades?'),
  ])
  return {
    entries: (pending.items as Entry[]).filter(({ intent }) => intent === 'entry'),
    positions: open.items as Position[],
    orders: new Set(trades.items.map(({ order_id }: { order_id: string }) => order_id)),
  }
}

type Books = Awaited<ReturnType<typeof booksOf>>

/** One account, whose actions come in bursts to two servers at once. */
class Account {
  readonly id = uniqueAccount()
  readonly #symbols = Array.from({ length: 7 }, uniqueSymbol)
  #orders = 0

  /** Does all actions at once; the number of entries that were accepted. */
  async burst(actions: readonly Action[], books: Books): Promise<number> {
    // An order is either filled or cancelled: what the broker fills is a fact that no limit stops.
    const entries = [...books.entries]
    const positions = [...books.positions]
    const calls = actions.flatMap((one, n) => {
      const by = servers[n % servers.length] ?? client
      if (one.act === 'enter') return [this.#enter(by, one)]
      if (one.act === 'leave') {
        const [position] = positions.splice(one.pick % Math.max(1, positions.length), 1)
        return position ? [this.#leave(by, position)] : []
      }
      const [entry] = entries.splice(one.pick % Math.max(1, entries.length), 1)
      if (!entry) return []
      return [one.act === 'fill' ? this.#fill(by, entry) : this.#cancel(by, entry)]
    })
    const accepted: number[] = await Promise.all(calls)
    return accepted.reduce((sum, one) => sum + one, 0)
  }

  async #enter(by: typeof client, { symbol, signal_type }: Action & { act: 'enter' }) {
    const sent = signal({ account_id: this.id, symbol: this.#symbols[symbol], signal_type })
    const { status, risk_parameters } = await by.tool('persist_trading_signal', sent)
    return status === 'pending' && risk_parameters.intent === 'entry' ? 1 : 0
  }

  async #fill(by: typeof client, { signal_id, symbol, signal_type }: Entry) {
    const side = signal_type === 'BUY' ? 'buy' : 'sell'
    const order = this.#order()
    // The parts of one order arrive at the same time as well.
    await Promise.all(
      [1, 2].map((part) =>
        by.tool('persist_trade_execution', {
          ...this.#trade({ symbol, side, quantity: '1', order_id: order }),
          ...{ signal_id, execution_id: `${order}-${part}` },
        }),
      ),
    )
    return 0
  }

  async #leave(by: typeof client, { symbol, direction, qty_open }: Position) {
    const side = direction === 'long' ? 'sell' : 'buy'
    const one = { symbol, side, quantity: qty_open, order_id: this.#order() }
    await by.tool('persist_trade_execution', this.#trade(one))
    return 0
  }

  async #cancel(by: typeof client, { signal_id }: Entry) {
    await by.tool('update_signal_status', { signal_id, status: 'cancelled' })
    return 0
  }

  #order = () => `${this.id}-${++this.#orders}`
  #trade = (one: { symbol: string; side: string; quantity: string; order_id: string }) => ({
    ...one,
    account_id: this.id,
    execution_details: {
      order_type: 'market',
      fill_price: '50',
      fill_time: new Date().toISOString(),
    },
  })
}

const tradingDate = async () => (await client.resource('market/clock')).trading_date

test('bursts of entries, fills, cancels and exits over two servers pass no limit of the account', async () => {
  let timesFull = 0
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(action, { minLength: 3, maxLength: 10 }), { minLength: 4, maxLength: 12 }),
      async (bursts) => {
        const account = new Account()
        let before = await booksOf(account.id)
        for (const actions of bursts) {
          const day = await tradingDate()
          const accepted = await account.burst(actions, before)
          const after = await booksOf(account.id)
          const held = after.positions.map(({ symbol }) => symbol)
          const awaited = after.entries.map(({ symbol }) => symbol)
          // One open or pending entry in a symbol, and so many in all.
          expect(new Set([...held, ...awaited]).size).toBe(held.length + awaited.length)
          expect(held.length + awaited.length).toBeLessThanOrEqual(MOST_POSITIONS)
          // Exits are never held up, so only what was accepted knowing of the trades before it counts.
          if (accepted > 0 && day === (await tradingDate())) {
            expect(before.orders.size + after.entries.length).toBeLessThanOrEqual(MOST_TRADES)
          }
          if (held.length + awaited.length === MOST_POSITIONS) timesFull++
          before = after
        }
      },
    ),
    { numRuns: 8, endOnFailure: true },
  )
  expect(timesFull).toBeGreaterThan(0)
})
