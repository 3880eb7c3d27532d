import { afterEach, expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { signal, uniqueSymbol } from './signals.js'

const { client, connect, database } = await startApp()
const other = await connect('legacy')

const open = new Set<string>()
afterEach(async () => {
  const left = [...open]
  open.clear()
  for (const session_id of left) {
    await client.tool('end_db_session', { session_id, outcome: 'rollback' })
  }
})

async function openSession(isolation_level = 'read_committed') {
  const { session_id } = await client.tool('start_db_session', { isolation_level })
  open.add(session_id)
  return {
    session_id,
    persist: (given: Record<string, unknown>) =>
      client.tool('persist_trading_signal', { ...signal(given), session_id }),
    end: async (outcome: string) => {
      open.delete(session_id)
      await client.tool('end_db_session', { session_id, outcome })
    },
  }
}

const newPattern = (): string => `held_${uniqueSymbol().toLowerCase()}`
const signalsOf = async (symbol: string) =>
  (await client.resource(`signals?symbol=${symbol}`)).items.map(
    ({ signal_id }: { signal_id: string }) => signal_id,
  )

test('a signal of a session is there after its commit, and never after a rollback', async () => {
  const symbol = uniqueSymbol()
  const session = await openSession()
  await session.persist({ symbol })
  expect(await signalsOf(symbol)).toEqual([])
  await session.end('rollback')
  expect(await signalsOf(symbol)).toEqual([])
  const again = await openSession()
  const { signal_id } = await again.persist({ symbol })
  await again.end('commit')
  expect(await signalsOf(symbol)).toEqual([signal_id])
})

test.each([
  ['read_committed', 'a symbol'],
  ['repeatable_read', 'no symbol'],
  ['serializable', 'no symbol'],
])(
  'an open %s session that was first to name a pattern and %s makes nobody wait',
  async (isolation, named) => {
    const [symbol, pattern] = [uniqueSymbol(), newPattern()]
    // A session with a snapshot adds a new symbol itself, so that it sees it: others wait for that.
    if (named === 'no symbol') await other.tool('persist_news_catalyst', article({ symbol }))
    const session = await openSession(isolation)
    await session.persist({ symbol, patterns: [pattern, newPattern()] })
    const { signal_id } = await other.tool(
      'persist_trading_signal',
      signal({ symbol, patterns: [newPattern(), pattern] }),
    )
    expect(await signalsOf(symbol)).toEqual([signal_id])
    await session.end('commit')
    expect(await signalsOf(symbol)).toHaveLength(2)
  },
)

test('a pattern that is new to the snapshot of a session is a conflict to be repeated', async () => {
  const session = await openSession('repeatable_read')
  await session.persist({})
  const call = { ...signal({ patterns: [newPattern()] }), session_id: session.session_id }
  expect(await client.refused('persist_trading_signal', call)).toMatchObject({
    code: 'conflict',
    retryable: true,
  })
  expect((await client.tool('persist_trading_signal', call)).status).toBe('pending')
  await session.end('commit')
  expect(await signalsOf(call.symbol)).toHaveLength(1)
})

test('story, signal, status and reading are one transaction', async () => {
  const symbol = uniqueSymbol()
  const session = await openSession()
  const { news_id } = await client.tool('persist_news_catalyst', {
    ...article({ symbol }),
    session_id: session.session_id,
  })
  const { results } = await client.tool('execute_transaction', {
    session_id: session.session_id,
    operations: [
      { tool: 'persist_trading_signal', params: signal({ symbol, news_ids: [news_id] }) },
      { resource: `signals?symbol=${symbol}` },
    ],
    commit: false,
  })
  const { signal_id } = results[0]
  expect(results[1].items).toMatchObject([{ signal_id, status: 'pending' }])
  await client.tool('update_signal_status', {
    signal_id,
    status: 'executed',
    session_id: session.session_id,
  })
  expect(await signalsOf(symbol)).toEqual([])
  await session.end('commit')
  const { items } = await client.resource(`signals?symbol=${symbol}`)
  expect(items).toMatchObject([{ signal_id, status: 'executed' }])
})

test('a refused signal leaves the session usable', async () => {
  const symbol = uniqueSymbol()
  const session = await openSession()
  await session.persist({ symbol })
  await expect(session.persist({ symbol, news_ids: ['nws_none'] })).rejects.toThrow('not_found')
  await session.persist({ symbol })
  await session.end('commit')
  expect(await signalsOf(symbol)).toHaveLength(2)
})

test('an update waits for another of the same signal, not for what refers to it', async () => {
  const { signal_id } = await client.tool('persist_trading_signal', signal())
  const session = await openSession()
  await client.tool('update_signal_status', {
    signal_id,
    status: 'executed',
    session_id: session.session_id,
  })
  await database.query(
    `insert into catalyst.signal_patterns (signal_id, pattern_type) values ($1, 'doji')`,
    [signal_id],
  )
  const change = other.refused('update_signal_status', { signal_id, status: 'cancelled' })
  await session.end('commit')
  expect(await change).toMatchObject({ code: 'precondition_failed' })
})
