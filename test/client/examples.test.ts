import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { servedProduct, withSession } from './support.js'

/** A running example. */
function example(name: string, ...args: string[]) {
  const path = fileURLToPath(new URL(`../../examples/${name}.mjs`, import.meta.url))
  const child = spawn(process.execPath, [path, ...args])
  const output = { text: '', errors: '' }
  child.stdout.on('data', (chunk) => {
    output.text += chunk
  })
  child.stderr.on('data', (chunk) => {
    output.errors += chunk
  })
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
  onTestFinished(() => void child.kill('SIGKILL'))
  return { output, ended, stop: () => child.kill('SIGTERM') }
}

test('the news collector stores each line of its feed once, and names what was refused', async () => {
  const { served } = await servedProduct()
  const folder = mkdtempSync(join(tmpdir(), 'catalyst-example-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const feed = join(folder, 'feed.jsonl')
  const lines = [
    article({ symbol: 'AAPL' }),
    article({ symbol: 'MSFT' }),
    { headline: 'no source' },
  ]
  writeFileSync(feed, lines.map((line) => JSON.stringify(line)).join('\n'))
  const first = example('news-collector', served.url, feed)
  expect([await first.ended, first.output.errors]).toEqual([0, ''])
  expect(first.output.text).toMatch(/^2 new, 0 known, 1 refused\nline 3: /)
  const second = example('news-collector', served.url, feed)
  expect(await second.ended).toBe(0)
  expect(second.output.text).toMatch(/^0 new, 2 known, 1 refused\n/)
})

test('the execution service records a fill once', async () => {
  const { served } = await servedProduct()
  const service = example('execution-service', served.url, 'AAPL')
  expect([await service.ended, service.output.errors]).toEqual([0, ''])
  expect(service.output.text).toBe('AAPL: 100 open at 187.25\ntold again: the same trade\n')
})

test('the event consumer hears of what is committed, and goes on where it was', async () => {
  const { served } = await servedProduct()
  await withSession(served.url, async (session) => {
    const { next_cursor } = await session.tool('list_events')
    const consumer = example('event-consumer', served.url, String(next_cursor))
    await session.tool('persist_news_catalyst', article({ symbol: 'ONE' }) as never)
    await waitFor(() => consumer.output.text.includes('news ONE'))
    consumer.stop()
    expect(await consumer.ended).toBe(0)
    const last = /^(\d+) /.exec(consumer.output.text)?.[1] ?? ''
    await session.tool('persist_news_catalyst', article({ symbol: 'TWO' }) as never)
    const next = example('event-consumer', served.url, last)
    await waitFor(() => next.output.text.includes('news TWO'))
    expect(next.output.text).not.toContain('news ONE')
  })
})

test('the daily maintenance looks, learns what is pending and reports true figures', async () => {
  const { served } = await servedProduct()
  await withSession(served.url, async (session) => {
    const fill = (side: 'buy' | 'sell', fill_price: string, fill_time: string) =>
      session.tool('persist_trade_execution', {
        symbol: 'AAPL',
        side,
        quantity: '10',
        execution_details: { order_type: 'market', fill_price, fill_time },
        catalyst_tracking: {},
      } as never)
    await fill('buy', '100', '2024-08-12T14:00:00Z')
    await fill('sell', '101', '2024-08-12T15:00:00Z')
    const daily = example('daily-maintenance', served.url)
    expect([await daily.ended, daily.output.errors]).toEqual([0, ''])
    const { text } = daily.output
    expect(text).toContain('learned from 1 closed positions')
    expect(text).toMatch(/# Database maintenance: (healthy|degraded|unhealthy)/)
    expect(text).toMatch(/verdict: (healthy|degraded|unhealthy)/)
    expect((await session.resource('db/sync/status')).catalyst_outcomes.pending_updates).toBe(0)
  })
})
