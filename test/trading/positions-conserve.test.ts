import fc from 'fast-check'
import { expect, test } from 'vitest'
import { decimal } from '../../src/lib/decimal.js'
import { startApp } from '../support/app.js'
import { fills, run, sum } from './fills.js'
import { fill, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

test('what the tools store adds up to the fills sent, one position open at a time', async () => {
  await fc.assert(
    fc.asyncProperty(fills, async (all) => {
      const symbol = uniqueSymbol()
      for (const [n, { side, quantity, price, fees }] of all.entries()) {
        await client.tool('persist_trade_execution', {
          ...fill({ symbol, side, quantity: quantity.toFixed(), fees: fees.toFixed() }),
          execution_id: `x-${symbol}-${n}`,
          execution_details: {
            order_type: 'market',
            fill_price: price.toFixed(),
            fill_time: '2024-08-12T14:00:00Z',
          },
        })
      }
      const { positions, open } = run(all)
      const [row] = await database.query(
        `select
           count(*)::int as n,
           count(*) filter (where p.status = 'open')::int as open,
           coalesce(sum(p.qty_open), 0)::text as qty_open,
           sum(p.realized_pnl)::text as realized,
           sum(p.fees)::text as fees,
           (select sum(f.realized_pnl)::text from catalyst.position_fills f
            join catalyst.positions q using (position_id)
            where q.security_id = s.security_id) as by_fills
         from catalyst.positions p
         join catalyst.securities s on s.security_id = p.security_id
         where s.symbol = $1
         group by s.security_id`,
        [symbol],
      )
      expect(row?.n).toBe(positions.length)
      expect(row?.open).toBe(open ? 1 : 0)
      expect(decimal(row?.qty_open).eq(open?.qty_open ?? 0)).toBe(true)
      const realized = sum(positions.map(({ realized_pnl }) => realized_pnl))
      expect(decimal(row?.realized).eq(realized)).toBe(true)
      expect(decimal(row?.by_fills).eq(realized)).toBe(true)
      expect(decimal(row?.fees).eq(sum(all.map(({ fees }) => fees)))).toBe(true)
    }),
    { numRuns: 12 },
  )
})
