import { randomBytes } from 'node:crypto'

/** A symbol nobody else uses. */
export const uniqueSymbol = (): string => `T${randomBytes(4).toString('hex').toUpperCase()}`

/** A valid fill; each test says what matters to it. */
export const fill = (
  overrides: Record<string, unknown> = {},
  details: Record<string, unknown> = {},
) => ({
  symbol: 'AAPL',
  side: 'buy',
  quantity: '100',
  execution_details: {
    order_type: 'limit',
    fill_price: '50.25',
    fill_time: '2024-08-12T14:00:00Z',
    ...details,
  },
  catalyst_tracking: { entry_catalyst: 'earnings' },
  ...overrides,
})
