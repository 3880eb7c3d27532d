import { decimal, plain } from '../../lib/decimal.js'
import { newId } from '../../lib/ids.js'
import type { Policy } from '../../policy.js'
import { averageEntry, type Figures, netReturnBps, outcomeOf, type Step } from './position.js'
import type { FiguresRow, PositionChange } from './trades.sql.js'

/** The figures of a stored position as exact decimals. */
export const figuresOf = (row: FiguresRow): Figures => ({
  direction: row.direction,
  qty_open: decimal(row.qty_open),
  qty_total: decimal(row.qty_total),
  entry_cost: decimal(row.entry_cost),
  entry_notional: decimal(row.entry_notional),
  realized_pnl: decimal(row.realized_pnl),
  fees: decimal(row.fees),
})

/** What the steps of a fill make of the open position, and of the one opened reversed. */
export function positionChanges(
  steps: readonly Step[],
  openId: string | null,
  learning: Policy['learning'],
): PositionChange[] {
  const isReversal = steps.length > 1
  return steps.map((step, index) => {
    const { after } = step
    const isClosed = after.qty_open.eq(0)
    const netReturn = isClosed ? netReturnBps(after) : null
    return {
      position_id: (index === 0 ? openId : null) ?? newId('pos'),
      direction: after.direction,
      status: isClosed ? 'closed' : 'open',
      qty_open: plain(after.qty_open),
      qty_total: plain(after.qty_total),
      entry_cost: plain(after.entry_cost),
      entry_notional: plain(after.entry_notional),
      realized_pnl: plain(after.realized_pnl),
      fees: plain(after.fees),
      outcome: netReturn && outcomeOf(netReturn, learning),
      net_return_bps: netReturn && plain(netReturn),
      effect: step.effect,
      step_quantity: plain(step.quantity),
      step_fees: plain(step.fees),
      step_pnl: plain(step.realized_pnl),
      exit_reason: exitReason(isClosed, isReversal),
    }
  })
}

/** A position as answers show it. */
export function describePosition(row: FiguresRow) {
  const figures = figuresOf(row)
  return {
    position_id: row.position_id,
    direction: row.direction,
    status: row.status,
    qty_open: plain(figures.qty_open),
    avg_entry_price: plain(averageEntry(figures)),
    realized_pnl: plain(figures.realized_pnl),
    fees: plain(figures.fees),
    net_pnl: plain(figures.realized_pnl.minus(figures.fees)),
  }
}

function exitReason(isClosed: boolean, isReversal: boolean): string | null {
  if (!isClosed) return null
  return isReversal ? 'reversed' : 'closed by a fill'
}
