import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { catalyst, detection, uniqueType } from './pattern-support.js'

const { client, database } = await startApp()
const TOOL = 'persist_pattern_detection'
const persist = (overrides: Record<string, unknown> = {}) => client.tool(TOOL, detection(overrides))
const stored = async (patternId: number) => {
  const [row] = await database.query(
    `select d.*, o.status, o.success from catalyst.pattern_detections d
     join catalyst.pattern_outcomes o using (pattern_id) where pattern_id = $1`,
    [patternId],
  )
  return row
}

test('a first detection ever says that nothing is known, and its outcome is pending', async () => {
  const answer = await persist({
    pattern_type: ' Bull-Flag ',
    detected_at: '2025-07-08T09:47:03.123456-04:00',
    price: '187.250001',
    ...catalyst('Earnings Beat'),
  })
  expect(answer).toEqual({
    pattern_id: expect.any(Number),
    historical_success_rate: 0.5,
    sample_size: 0,
    interval: { low: 0, high: 1 },
    level: 'none',
    duplicate: false,
    warnings: [],
  })
  expect(await stored(answer.pattern_id)).toMatchObject({
    pattern_type: 'bull_flag',
    timeframe: '5m',
    direction: 'bullish',
    confidence: '0.8000',
    bar_time: '2025-07-08T13:45:00Z',
    detected_at: '2025-07-08T13:47:03.123456Z',
    catalyst_type: 'earnings_beat',
    catalyst: 'earnings_beat',
    alignment_score: '0.5000',
    price: '187.250001',
    status: 'pending',
    success: null,
  })
})

test.each([
  ['1m', '2025-07-08T13:47:00Z'],
  ['15m', '2025-07-08T13:45:00Z'],
  ['1h', '2025-07-08T13:00:00Z'],
  ['4h', '2025-07-08T12:00:00Z'],
  ['1d', '2025-07-08T04:00:00Z'],
  ['1w', '2025-07-07T04:00:00Z'],
])('in bars of %s it belongs to the one of %s', async (timeframe, barTime) => {
  const { pattern_id } = await persist({ timeframe, detected_at: '2025-07-08T13:47:59.999999999Z' })
  expect((await stored(pattern_id))?.bar_time).toBe(barTime)
})

test('a week of detections keeps to New York through the change of clocks', async () => {
  const { pattern_id } = await persist({ timeframe: '1w', detected_at: '2025-03-10T03:59:00Z' })
  expect((await stored(pattern_id))?.bar_time).toBe('2025-03-03T05:00:00Z')
})

test('the same pattern in the same bar is answered as the stored one, which stays', async () => {
  const first = detection({ detected_at: '2025-07-08T13:46:00Z', price: 10, ...catalyst('fda') })
  const { pattern_id } = await client.tool(TOOL, first)
  const again = await client.tool(TOOL, { ...first, detected_at: '2025-07-08T13:49:00Z' })
  expect(again).toMatchObject({ pattern_id, duplicate: true, warnings: [] })
  const other = await client.tool(TOOL, {
    ...first,
    confidence: 0.81,
    direction: 'bearish',
    price: 11,
    ...catalyst('merger'),
  })
  expect(other).toMatchObject({ pattern_id, duplicate: true })
  expect(other.warnings.map((text: string) => text.split(':')[0])).toEqual([
    'confidence',
    'direction',
    'catalyst_alignment',
    'price',
  ])
  expect(await stored(pattern_id)).toMatchObject({ confidence: '0.8000', direction: 'bullish' })
  const next = await client.tool(TOOL, { ...first, detected_at: '2025-07-08T13:50:00Z' })
  expect(next).toMatchObject({ duplicate: false })
})

test('a hundred at once in one bar are one detection', async () => {
  const same = detection({ detected_at: '2025-07-08T13:46:00Z', pattern_type: uniqueType() })
  const answers = await Promise.all(Array.from({ length: 100 }, () => client.tool(TOOL, same)))
  expect(new Set(answers.map((answer) => answer.pattern_id)).size).toBe(1)
  expect(answers.filter((answer) => !answer.duplicate)).toHaveLength(1)
})

test('an unknown type is registered; without a direction it is neutral, with a warning', async () => {
  const pattern_type = uniqueType()
  const { pattern_id, warnings } = await persist({ pattern_type })
  expect(warnings).toEqual([expect.stringMatching(/^pattern_type: new/)])
  expect(await stored(pattern_id)).toMatchObject({ direction: 'neutral' })
  const second = await persist({ pattern_type, direction: 'bearish' })
  expect(second.warnings).toEqual([])
  expect(await stored(second.pattern_id)).toMatchObject({ direction: 'bearish' })
})

test('a pattern without a catalyst has neither its type nor a score', async () => {
  const given = (alignment: Record<string, unknown>) =>
    client.refused(
      TOOL,
      detection({ catalyst_alignment: { has_catalyst: false, alignment_score: 0, ...alignment } }),
    )
  expect(await given({ catalyst_type: 'fda' })).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('catalyst_type: must be left out'),
  })
  expect(await given({ alignment_score: 0.3 })).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('alignment_score: must be 0'),
  })
  expect(await given({ has_catalyst: true, catalyst_type: 'None' })).toMatchObject({
    message: expect.stringContaining('has_catalyst: false'),
  })
})

test.each([
  [{ confidence: 85 }, 'did you mean 0.85?'],
  [{ pattern_type: "flag'; drop table catalyst.pattern_types; --" }, 'must be a name'],
  [{ pattern_type: 'flag\0' }, 'NUL'],
  [{ pattern_type: ' ' }, 'must be a name'],
  [{ pattern_type: `f${'l'.repeat(64)}` }, 'must be a name'],
  [{ timeframe: '7m' }, 'timeframe'],
  [{ price: 0 }, 'greater than 0'],
  [{ price: '1e3' }, 'decimal number'],
  [{ detected_at: '2025-07-08T13:46:00' }, 'with a zone'],
  [{ detected_at: '0000-01-01T00:00:00Z' }, 'must not be before 1970'],
  [{ detected_at: new Date(Date.now() + 6 * 60_000).toISOString() }, 'future'],
  [{ symbol: 'AAPL; --' }, 'ticker'],
  [catalyst('\ud800'), 'Unicode'],
  [catalyst('İ'.repeat(100)), 'catalyst_type'],
])('%j is refused', async (overrides, reason) => {
  const error = await client.refused(TOOL, detection(overrides))
  expect(error.code).toBe('invalid_input')
  expect(error.message).toContain(reason)
})

test('what is not yet certain is not answered: in a session, then rolled back', async () => {
  const { session_id } = await client.tool('start_db_session')
  const pattern_type = uniqueType()
  const given = detection({ pattern_type, detected_at: '2025-07-08T13:46:00Z' })
  const { pattern_id } = await client.tool(TOOL, { ...given, session_id })
  const { changed, sample_size } = await client.tool('update_pattern_outcome', {
    pattern_id,
    success: true,
    session_id,
  })
  expect({ changed, sample_size }).toEqual({ changed: true, sample_size: 1 })
  const seen = await client.tool(TOOL, { ...given, session_id })
  expect(seen).toMatchObject({ pattern_id, duplicate: true, sample_size: 1 })
  await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  expect(await stored(pattern_id)).toBeUndefined()
  const answer = await client.tool(TOOL, given)
  expect(answer).toMatchObject({ duplicate: false, sample_size: 0 })
  expect(answer.pattern_id).not.toBe(pattern_id)
})

test.each(['read_committed', 'repeatable_read', 'serializable'])(
  'an open %s session, first to name a type, holds up nobody who uses it',
  async (isolation_level) => {
    const { session_id } = await client.tool('start_db_session', { isolation_level })
    const pattern_type = uniqueType()
    await client.tool(TOOL, { ...detection({ pattern_type }), session_id })
    expect(await persist({ pattern_type })).toMatchObject({ duplicate: false })
    await client.tool('end_db_session', { session_id, outcome: 'commit' })
  },
)

test('who sends what an open session is about to store is told to come again, soon', async () => {
  const { session_id } = await client.tool('start_db_session')
  const given = detection({ detected_at: '2025-07-08T13:46:00Z' })
  await client.tool(TOOL, { ...given, session_id })
  // Another session has the usual patience with it.
  const other = await client.tool('start_db_session')
  let isAnswered = false
  const patient = client.tool(TOOL, { ...given, session_id: other.session_id }).finally(() => {
    isAnswered = true
  })
  expect(await client.refused(TOOL, given)).toMatchObject({ code: 'conflict', retryable: true })
  expect(isAnswered).toBe(false)
  await client.tool('end_db_session', { session_id, outcome: 'commit' })
  expect(await patient).toMatchObject({ duplicate: true })
  await client.tool('end_db_session', { session_id: other.session_id, outcome: 'commit' })
  expect(await client.tool(TOOL, given)).toMatchObject({ duplicate: true })
})
