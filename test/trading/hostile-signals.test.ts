import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { sendRaw } from '../support/raw-call.js'
import { signal } from './signals.js'

const { client, database, url } = await startApp()

const nested = (depth: number): unknown => (depth === 0 ? 1 : { a: nested(depth - 1) })
const refused = (given: Record<string, unknown>) =>
  client.refused('persist_trading_signal', signal(given))
const storedSignals = async () =>
  (await database.query('select signal_id from catalyst.trading_signals')).length

test.each([
  ['SQL in the symbol', { symbol: "A'; drop table x" }, /symbol: must be a ticker/],
  [
    'a percentage as confidence',
    { confidence: 85 },
    /confidence: must be 0-1, did you mean 0.85\?/,
  ],
  ['a negative confidence', { confidence: -0.1 }, /confidence: must be 0-1/],
  ['an unknown type', { signal_type: 'buy' }, /signal_type/],
  ['an account with spaces', { account_id: 'a b' }, /account_id: must be/],
  ['an account too long', { account_id: 'a'.repeat(65) }, /account_id: must be/],
  [
    'a pattern with SQL',
    { patterns: ["flag'; --"] },
    /technical_context.patterns\[0\]: must be a name/,
  ],
  ['an empty pattern', { patterns: [' '] }, /technical_context.patterns\[0\]: must be a name/],
  [
    'NUL in a story',
    { news_ids: ['\0'] },
    /catalyst_context.news_ids\[0\]: must be printable ASCII/,
  ],
  [
    'NaN as a price',
    { indicators: { price: 'NaN' } },
    /technical_context.indicators.price: must be a decimal/,
  ],
  [
    'Infinity as ATR',
    { indicators: { atr: 'Infinity' } },
    /technical_context.indicators.atr: must be/,
  ],
  ['an empty price', { indicators: { close: '' } }, /technical_context.indicators.close: must be/],
  [
    'a price of 0',
    { indicators: { Entry_Price: 0 } },
    /indicators.entry_price: must be greater than 0/,
  ],
  ['an ATR of 1e-9', { indicators: { atr_14: 1e-9 } }, /indicators.atr_14: .*6 decimals/],
  [
    'a price with 7 decimals',
    { indicators: { price: '1.0000001' } },
    /indicators.price: .*6 decimals/,
  ],
  ['equity as an object', { indicators: { equity: {} } }, /indicators.equity: /],
  [
    'a price given twice',
    { indicators: { price: 50, PRICE: 500 } },
    /indicators.price: is given more than once/,
  ],
  ['nesting too deep', { indicators: nested(11) }, /indicators: must not be nested deeper than 10/],
  ['NUL in nested text', { indicators: { a: [{ b: 'x\0y' }] } }, /indicators: .*NUL/],
  ['NUL in a nested name', { indicators: { a: [{ 'b\0': 1 }] } }, /indicators: .*NUL/],
  ['a lone surrogate', { indicators: { a: '\ud800' } }, /indicators: .*surrogate/],
  ['a list of indicators', { indicators: [] }, /indicators: must be an object/],
  [
    'too much',
    { indicators: { a: 'ü'.repeat(32_769) } },
    /indicators: must not be larger than 65536/,
  ],
] as const)('%s is refused by name and stores nothing', async (_, given, message) => {
  const before = await storedSignals()
  expect(await refused(given)).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(message),
  })
  expect(await storedSignals()).toBe(before)
})

test('missing indicators are refused', async () => {
  const { technical_context, ...rest } = signal()
  const { indicators: _, ...without } = technical_context
  const error = await client.refused('persist_trading_signal', {
    ...rest,
    technical_context: without,
  })
  expect(error.message).toMatch(/technical_context.indicators: must be an object/)
})

/** A call with indicators that no client would write. */
async function callRaw(indicators: string): Promise<string> {
  const args = JSON.stringify(signal({ indicators: 'here' })).replace('"here"', indicators)
  return (await sendRaw(url, 'persist_trading_signal', args)).text
}

test('a number that JSON can write but not a computer is refused', async () => {
  expect(await callRaw('{"a":[1e400]}')).toContain(
    'indicators.a[0]: a JSON number cannot hold 1e400 exactly',
  )
})

test('nesting that would exhaust the stack is refused, and the server goes on', async () => {
  const before = await storedSignals()
  for (const depth of [3_000, 200_000]) {
    const answer = await callRaw(`${'{"a":'.repeat(depth)}1${'}'.repeat(depth)}`)
    expect(answer).toMatch(/error/i)
    expect(answer).not.toMatch(/node_modules|at file/)
  }
  expect(await storedSignals()).toBe(before)
  expect((await client.tool('persist_trading_signal', signal())).status).toBe('pending')
})

test('as much as is allowed is stored', async () => {
  const indicators = { a: 'x'.repeat(65_000), b: nested(9), '"\\$1': "'; drop table x; --" }
  const { signal_id } = await client.tool('persist_trading_signal', signal({ indicators }))
  const [row] = await database.query(
    `select technical_context->'indicators' as indicators from catalyst.trading_signals
     where signal_id = $1`,
    [signal_id],
  )
  expect(row?.indicators).toEqual(indicators)
})
