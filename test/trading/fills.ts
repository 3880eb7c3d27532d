import fc from 'fast-check'
import { applyFill, type Figures, type Fill } from '../../src/domains/trading/position.js'
import { type Decimal, decimal } from '../../src/lib/decimal.js'

export const ZERO = decimal(0)
/** The exact sum. */
export const sum = (values: readonly Decimal[]) =>
  values.reduce((total, value) => total.plus(value), ZERO)

/** A decimal of up to six decimals, from the least that is allowed upwards. */
const sixDecimals = (max: number) =>
  fc
    .oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: max * 1_000_000 }))
    .map((micros) => decimal(micros).div(1_000_000))

/** Any sequence of fills of one account and symbol. */
export const fills: fc.Arbitrary<Fill[]> = fc.array(
  fc.record({
    side: fc.constantFrom('buy' as const, 'sell' as const),
    quantity: sixDecimals(1_000),
    price: sixDecimals(500),
    fees: fc
      .integer({ min: -500_000, max: 5_000_000 })
      .map((micros) => decimal(micros).div(1_000_000)),
  }),
  { minLength: 1, maxLength: 30 },
)

/** Applies fills in order; returns every position there ever was, the open one last. */
export function run(all: readonly Fill[]) {
  const positions: Figures[] = []
  const steps = []
  let open: Figures | null = null
  for (const one of all) {
    for (const step of applyFill(open, one)) {
      if (step.effect === 'open' && open === null) positions.push(step.after)
      else positions[positions.length - 1] = step.after
      open = step.after.qty_open.eq(0) ? null : step.after
      steps.push(step)
    }
  }
  return { positions, steps, open }
}
