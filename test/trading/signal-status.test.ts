import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { signal } from './signals.js'

const { client, database } = await startApp()

const persist = async (): Promise<string> =>
  (await client.tool('persist_trading_signal', signal())).signal_id
const update = (signal_id: string, status: string, reason?: string) =>
  client.tool('update_signal_status', { signal_id, status, ...(reason ? { reason } : {}) })
const refused = (signal_id: string, status: string) =>
  client.refused('update_signal_status', { signal_id, status, reason: 'because' })
const stored = async (signal_id: string) => {
  const [row] = await database.query(
    `select status, status_reason, reasons, updated_at > created_at as touched
     from catalyst.trading_signals where signal_id = $1`,
    [signal_id],
  )
  return row
}
const letExpire = (signal_id: string) =>
  database.query(
    `update catalyst.trading_signals
     set created_at = created_at - interval '1 day', expires_at = now() - interval '1 ms'
     where signal_id = $1`,
    [signal_id],
  )

test.each(['executed', 'cancelled', 'expired', 'rejected'])(
  'a pending signal becomes %s, and stays so',
  async (status) => {
    const signal_id = await persist()
    expect(await update(signal_id, status, 'the desk said so')).toEqual({
      signal_id,
      previous_status: 'pending',
      status,
      changed: true,
      reason: 'the desk said so',
    })
    expect(await stored(signal_id)).toMatchObject({
      status,
      status_reason: 'the desk said so',
      touched: true,
      reasons: status === 'rejected' ? [expect.not.stringContaining('desk')] : [],
    })
    expect(await update(signal_id, status, 'once more')).toEqual({
      signal_id,
      previous_status: status,
      status,
      changed: false,
      reason: 'the desk said so',
    })
    for (const next of ['executed', 'cancelled', 'expired', 'rejected']) {
      if (next === status) continue
      expect(await refused(signal_id, next)).toMatchObject({
        code: 'precondition_failed',
        message: `The signal is ${status}, which is final.`,
      })
    }
  },
)

test('a reason is optional, but not for a rejection', async () => {
  const signal_id = await persist()
  const error = await client.refused('update_signal_status', { signal_id, status: 'rejected' })
  expect(error).toMatchObject({ code: 'invalid_input', message: expect.stringContaining('reason') })
  expect(await update(signal_id, 'cancelled')).toMatchObject({ changed: true, reason: null })
})

test('a signal past its time counts as expired, but its fill is a fact', async () => {
  const signal_id = await persist()
  await letExpire(signal_id)
  expect(await update(signal_id, 'expired')).toMatchObject({
    previous_status: 'expired',
    changed: false,
  })
  for (const status of ['cancelled', 'rejected']) {
    expect(await refused(signal_id, status)).toMatchObject({
      code: 'precondition_failed',
      message: 'The signal is expired, which is final.',
    })
  }
  expect(await update(signal_id, 'executed')).toMatchObject({
    previous_status: 'expired',
    status: 'executed',
    changed: true,
  })
})

test('a signal that was marked expired stays expired', async () => {
  const signal_id = await persist()
  await update(signal_id, 'expired')
  expect(await refused(signal_id, 'executed')).toMatchObject({ code: 'precondition_failed' })
})

test('a signal that nobody knows is not found, and pending is no end', async () => {
  expect(await refused(`sig_${'0'.repeat(32)}`, 'executed')).toMatchObject({ code: 'not_found' })
  expect(await refused("'or/**/true--", 'executed')).toMatchObject({ code: 'not_found' })
  expect(await refused("' or true --", 'executed')).toMatchObject({ code: 'invalid_input' })
  expect(await refused(await persist(), 'pending')).toMatchObject({
    code: 'invalid_input',
    message: expect.stringContaining('status'),
  })
})

test('of two changes at the same time one wins', async () => {
  const signal_id = await persist()
  const outcomes = await Promise.allSettled([
    update(signal_id, 'executed'),
    update(signal_id, 'cancelled'),
  ])
  expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
})
