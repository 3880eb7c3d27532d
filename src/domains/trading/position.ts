import { type Decimal, decimal, rounded } from '../../lib/decimal.js'

/** What was bought or sold at one price; quantity and price above 0. */
export interface Fill {
  readonly side: 'buy' | 'sell'
  readonly quantity: Decimal
  readonly price: Decimal
  /** Money; below 0 where the venue pays a rebate. */
  readonly fees: Decimal
}

/** The figures of a position. Money has twelve decimals, as the product of a price and a quantity. */
export interface Figures {
  readonly direction: 'long' | 'short'
  readonly qty_open: Decimal
  /** All that was ever opened. */
  readonly qty_total: Decimal
  /** What the open quantity was filled for. */
  readonly entry_cost: Decimal
  /** What all that was ever opened was filled for. */
  readonly entry_notional: Decimal
  /** Before fees. */
  readonly realized_pnl: Decimal
  readonly fees: Decimal
}

/** What one fill, or its part, did to a position. */
export interface Step {
  readonly effect: 'open' | 'close'
  readonly quantity: Decimal
  readonly fees: Decimal
  readonly realized_pnl: Decimal
  /** The position afterwards. */
  readonly after: Figures
}

/** How a position ended. */
export type TradeOutcome = 'win' | 'loss' | 'scratch'

const ZERO = decimal(0)
const MONEY_DECIMALS = 12
const FEE_DECIMALS = 6
const PRICE_DECIMALS = 6
const RETURN_DECIMALS = 4
const BASIS_POINTS = 10_000

/**
 * What a fill does to the open position of its account and security: opens one, adds to it, closes
 * some of it, or closes it and opens the remainder reversed. Quantity, cash and fees are conserved
 * exactly: what is not released by a part is left for the rest.
 */
export function applyFill(open: Figures | null, fill: Fill): Step[] {
  const direction = fill.side === 'buy' ? 'long' : 'short'
  if (open === null) return [opening(nothing(direction), fill)]
  if (open.direction === direction) return [opening(open, fill)]
  if (fill.quantity.lte(open.qty_open)) return [closing(open, fill)]
  const [part, rest] = split(fill, open.qty_open)
  return [closing(open, part), opening(nothing(direction), rest)]
}

/** The average price of what is open, or of all that was opened once nothing is; six decimals. */
export const averageEntry = (of: Figures): Decimal =>
  rounded(
    of.qty_open.gt(0) ? of.entry_cost.div(of.qty_open) : of.entry_notional.div(of.qty_total),
    PRICE_DECIMALS,
  )

/** Net return of a closed position in basis points of what was opened; four decimals. */
export const netReturnBps = ({ realized_pnl, fees, entry_notional }: Figures): Decimal =>
  rounded(realized_pnl.minus(fees).times(BASIS_POINTS).div(entry_notional), RETURN_DECIMALS)

/** A return from `win_bps` on is a win, down to `loss_bps` a loss, between them neither. */
export function outcomeOf(
  netReturn: Decimal,
  thresholds: { readonly win_bps: number; readonly loss_bps: number },
): TradeOutcome {
  if (netReturn.gte(thresholds.win_bps)) return 'win'
  return netReturn.lte(thresholds.loss_bps) ? 'loss' : 'scratch'
}

const nothing = (direction: Figures['direction']): Figures => ({
  direction,
  qty_open: ZERO,
  qty_total: ZERO,
  entry_cost: ZERO,
  entry_notional: ZERO,
  realized_pnl: ZERO,
  fees: ZERO,
})

function opening(before: Figures, { quantity, price, fees }: Fill): Step {
  const cost = quantity.times(price)
  const after = {
    ...before,
    qty_open: before.qty_open.plus(quantity),
    qty_total: before.qty_total.plus(quantity),
    entry_cost: before.entry_cost.plus(cost),
    entry_notional: before.entry_notional.plus(cost),
    fees: before.fees.plus(fees),
  }
  return { effect: 'open', quantity, fees, realized_pnl: ZERO, after }
}

/** realised = quantity · (fill - average entry), for a short position the other way round. */
function closing(before: Figures, { quantity, price, fees }: Fill): Step {
  const proceeds = quantity.times(price)
  const released = quantity.eq(before.qty_open)
    ? before.entry_cost
    : rounded(before.entry_cost.times(quantity).div(before.qty_open), MONEY_DECIMALS)
  const realized_pnl =
    before.direction === 'long' ? proceeds.minus(released) : released.minus(proceeds)
  const after = {
    ...before,
    qty_open: before.qty_open.minus(quantity),
    entry_cost: before.entry_cost.minus(released),
    realized_pnl: before.realized_pnl.plus(realized_pnl),
    fees: before.fees.plus(fees),
  }
  return { effect: 'close', quantity, fees, realized_pnl, after }
}

/** The first part of a fill and the rest, each with its share of the fees. */
function split(fill: Fill, quantity: Decimal): [Fill, Fill] {
  const fees = rounded(fill.fees.times(quantity).div(fill.quantity), FEE_DECIMALS)
  return [
    { ...fill, quantity, fees },
    { ...fill, quantity: fill.quantity.minus(quantity), fees: fill.fees.minus(fees) },
  ]
}
