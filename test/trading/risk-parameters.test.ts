import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type RiskFacts,
  rejections,
  riskParameters,
} from '../../src/domains/trading/risk-parameters.js'
import { decimal } from '../../src/lib/decimal.js'
import { defaultPolicy } from '../../src/policy.js'

const limits = defaultPolicy().risk
const calm = {
  open_positions: 0,
  direction: null,
  pending_entries: 0,
  pending_positions: 0,
  pending_signal_id: null,
  trades_today: 0,
  result_today: '0',
} as const

const facts = (given: Partial<RiskFacts> = {}): RiskFacts => ({
  signal_type: 'BUY',
  confidence: decimal('0.8'),
  market_state: 'regular',
  entry_price: decimal(50),
  atr: decimal('1.5'),
  atr_source: 'client',
  atr_timeframe: null,
  equity: decimal(100_000),
  tick_size: null,
  account: calm,
  ...given,
})
const risk = (given: Partial<RiskFacts> = {}) => riskParameters(facts(given), limits)
const failed = (given: Partial<RiskFacts> = {}) =>
  risk(given).checks.flatMap(({ check, passed }) => (passed === false ? check : []))

test('533 shares by risk are capped to 400 by size', () => {
  expect(risk()).toMatchObject({
    size_tier: 'full',
    max_position_pct: 20,
    shares_by_risk: '533',
    shares_by_size: '400',
    shares: '400',
    stop_price: '47',
    target_1: '54.5',
    target_2: '56',
    reward_risk: 1.5,
    missing: [],
  })
  expect(failed()).toEqual([])
})

test('before the market opens a position is half as large', () => {
  expect(risk({ market_state: 'pre-market' })).toMatchObject({
    max_position_pct: 10,
    shares: '200',
  })
})

test('SELL is the mirror of BUY', () => {
  expect(risk({ signal_type: 'SELL' })).toMatchObject({
    stop_price: '53',
    target_1: '45.5',
    target_2: '44',
    reward_risk: 1.5,
    shares: '400',
  })
})

test.each([
  ['0', 'none', '0'],
  ['0.3', 'none', '0'],
  ['0.3001', 'quarter', '100'],
  ['0.5', 'quarter', '100'],
  ['0.5001', 'half', '200'],
  ['0.7', 'half', '200'],
  ['0.7001', 'full', '400'],
  ['1', 'full', '400'],
])('confidence %s is worth %s size', (confidence, size_tier, shares_by_size) => {
  expect(risk({ confidence: decimal(confidence) })).toMatchObject({ size_tier, shares_by_size })
  const rejected = failed({ confidence: decimal(confidence) })
  expect(rejected).toEqual(size_tier === 'none' ? ['confidence', 'size'] : [])
})

test.each([
  ['0.999999', ['price']],
  ['1', []],
  ['500', []],
  ['500.000001', ['price']],
])('a price of %s fails %j', (entry_price, checks) => {
  expect(failed({ entry_price: decimal(entry_price), atr: decimal('0.01') })).toEqual(checks)
})

describe('the account', () => {
  test.each([
    [{ open_positions: 4 }, []],
    [{ open_positions: 5 }, ['open_positions']],
    [{ direction: 'long' }, ['symbol_position']],
    [{ result_today: '-3999.999999' }, []],
    [{ result_today: '-4000' }, ['day_loss']],
    [{ result_today: '4000' }, []],
    [{ trades_today: 19 }, []],
    [{ trades_today: 20 }, ['trades_today']],
    [{ open_positions: 3, pending_positions: 1 }, []],
    [{ open_positions: 3, pending_positions: 2 }, ['open_positions']],
    [{ trades_today: 12, pending_entries: 8 }, ['trades_today']],
    [{ pending_signal_id: 'sig_1' }, ['symbol_position']],
  ] as const)('with %j fails %j', (account, checks) => {
    expect(failed({ account: { ...calm, ...account } })).toEqual(checks)
  })

  test.each([
    ['SELL', 'long', 'exit'],
    ['BUY', 'short', 'exit'],
    ['SELL', 'short', 'entry'],
    ['BUY', 'long', 'entry'],
    ['HOLD', 'long', 'none'],
  ] as const)('%s while %s is an %s', (signal_type, direction, intent) => {
    const account = { ...calm, open_positions: 9, direction, result_today: '-99999' }
    const answer = risk({ signal_type, account, confidence: decimal('0.1') })
    expect(answer.intent).toBe(intent)
    if (intent === 'entry') expect(rejections(answer)).not.toEqual([])
    else
      expect(answer).toMatchObject({
        size_tier: 'none',
        shares: null,
        stop_price: null,
        checks: [],
      })
  })
})

test.each([
  // A stop of BUY, and the targets of SELL, fall to 0 or below.
  [{ entry_price: decimal(3), atr: decimal('1.5') }, ['stop_price']],
  [{ entry_price: decimal(5), signal_type: 'SELL' }, ['target_2']],
  [{ entry_price: decimal(4), signal_type: 'SELL' }, ['target_1', 'target_2']],
  // Beyond what a price column holds, and closer than its decimals.
  [{ entry_price: decimal('999999999999') }, ['target_1', 'target_2']],
  [{ entry_price: decimal('0.000001'), atr: null }, ['stop_price']],
] as const)('levels that cannot be set are null and fail: %#', (given, names) => {
  const answer = risk(given)
  for (const name of names) expect(answer[name]).toBeNull()
  expect(answer.checks).toContainEqual({
    check: 'levels',
    passed: false,
    detail: `${names.join(', ')}: not a price on its side of the entry`,
  })
  expect(rejections(answer)).toContainEqual(expect.stringMatching(/^levels: /))
})

test('a policy that asks for more reward than the targets give rejects', () => {
  const strict = { ...limits, min_reward_risk: 1.6 }
  expect(rejections(riskParameters(facts(), strict))).toEqual([
    'reward_risk: 1.5, must be at least 1.6',
  ])
})

test('equity that is lost already allows nothing', () => {
  for (const equity of ['0', '-5000']) {
    const answer = risk({ equity: decimal(equity) })
    expect(answer).toMatchObject({ shares: '0', shares_by_risk: '0', shares_by_size: '0' })
    expect(failed({ equity: decimal(equity) })).toEqual(['size', 'day_loss'])
  }
})

const micros = (max: bigint) => fc.bigInt({ min: 1n, max })
const money = (units: bigint) => decimal(units.toString()).times('0.000001')
const floorDiv = (a: bigint, b: bigint) => (a / b).toString()
const anything = fc.record({
  signal_type: fc.constantFrom('BUY' as const, 'SELL' as const),
  confidence: fc.integer({ min: 0, max: 10_000 }),
  market_state: fc.constantFrom('regular' as const, 'pre-market' as const),
  entry: micros(10n ** 15n),
  atr: micros(10n ** 12n),
  equity: micros(10n ** 17n),
})

test('shares are exactly as many as integer arithmetic says, never more than either bound', () => {
  fc.assert(
    fc.property(anything, ({ confidence, entry, atr, equity, ...rest }) => {
      const answer = risk({
        ...rest,
        confidence: decimal(confidence).times('0.0001'),
        entry_price: money(entry),
        atr: money(atr),
        equity: money(equity),
      })
      const tier = confidence > 7_000 ? 4n : confidence > 5_000 ? 2n : confidence > 3_000 ? 1n : 0n
      const pct = rest.market_state === 'regular' ? 20n : 10n
      const byRisk = floorDiv(equity * 2n * BigInt(confidence), atr * 2n * 100n * 10_000n)
      const bySize = floorDiv(equity * pct * tier, entry * 100n * 4n)
      expect(answer).toMatchObject({ shares_by_risk: byRisk, shares_by_size: bySize })
      expect(BigInt(answer.shares ?? -1)).toBe(
        BigInt(byRisk) < BigInt(bySize) ? BigInt(byRisk) : BigInt(bySize),
      )
    }),
    { numRuns: 1_000 },
  )
})

const cents = (least: number, most: number) =>
  fc.integer({ min: least, max: most }).map((n) => decimal(n).times('0.01'))

test('levels are whole ticks, nearer to the entry than the policy says by less than one', () => {
  const ticks = fc.constantFrom(null, '0.0001', '0.01', '0.05', '0.25', '1')
  fc.assert(
    fc.property(anything, ticks, ({ entry, atr, signal_type }, tick) => {
      const [entry_price, range] = [money(entry), money(atr)]
      const tick_size = tick === null ? null : decimal(tick)
      const answer = risk({ entry_price, atr: range, signal_type, tick_size })
      for (const [name, multiple] of [
        ['stop_price', 2],
        ['target_1', 3],
        ['target_2', 4],
      ] as const) {
        const level = answer[name]
        if (level === null) continue
        const isAbove = (signal_type === 'BUY') === (name !== 'stop_price')
        const step = tick_size ?? decimal(decimal(level).gte(1) ? '0.01' : '0.0001')
        expect(decimal(level).mod(step).toFixed()).toBe('0')
        const distance = decimal(level)
          .minus(entry_price)
          .times(isAbove ? 1 : -1)
        expect(distance.gt(0) && distance.lte(range.times(multiple))).toBe(true)
        expect(
          range
            .times(multiple)
            .minus(distance)
            .lt(tick_size ?? '0.01'),
        ).toBe(true)
      }
    }),
    { numRuns: 1_000 },
  )
})

test('where the entry is a whole tick, SELL is the mirror of BUY', () => {
  fc.assert(
    fc.property(cents(10_000, 50_000), micros(20_000_000n), (entry_price, atr) => {
      const of = (signal_type: 'BUY' | 'SELL') =>
        risk({ entry_price, atr: money(atr), signal_type })
      const [buy, sell] = [of('BUY'), of('SELL')]
      for (const name of ['stop_price', 'target_1', 'target_2'] as const) {
        const [one, other] = [buy[name], sell[name]]
        if (one === null || other === null) expect(one).toBe(other)
        else expect(decimal(one).plus(other).eq(entry_price.times(2))).toBe(true)
      }
    }),
    { numRuns: 1_000 },
  )
})

test.each([
  // entry, ATR, stop, target_1, target_2
  ['BUY', '50', '1.337', '47.33', '54.01', '55.34'],
  ['SELL', '50', '1.337', '52.67', '45.99', '44.66'],
  ['BUY', '1', '0.03333', '0.9334', '1.09', '1.13'],
  ['SELL', '1.01', '0.03333', '1.07', '0.9101', '0.8767'],
  ['BUY', '50.005', '1.5', '47.01', '54.5', '56'],
] as const)(
  'a %s at %s with ATR %s has its levels on ticks',
  (signal_type, entry, atr, ...levels) => {
    const answer = risk({ signal_type, entry_price: decimal(entry), atr: decimal(atr) })
    expect([answer.stop_price, answer.target_1, answer.target_2]).toEqual(levels)
  },
)

test('ticks do not decide whether the reward is worth the risk', () => {
  const atr = decimal('1.335')
  expect(risk({ atr })).toMatchObject({ stop_price: '47.33', target_1: '54', reward_risk: 1.5 })
  expect(failed({ atr })).toEqual([])
})
