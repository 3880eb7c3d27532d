import { expect, test } from 'vitest'
import { isSound } from '../../scripts/simulate/report.mjs'
import { simulateYear } from '../../scripts/simulate/year.mjs'
import { startApp } from '../support/app.js'
import { type Answer, Recording } from './recording.js'

const SIZE = {
  seed: 4,
  symbols: 40,
  sources: 8,
  accounts: 2,
  articles: 3_000,
  fills: 1_500,
  until: '2024-12-31',
}

const { client } = await startApp()
const { tools } = await client.sdk.listTools()
const options = { ...SIZE, hasSignals: tools.some(({ name }) => name === 'persist_trading_signal') }
const recording = new Recording(client)

test('a simulated year breaks no invariant and recovers what was planted', async () => {
  const result = await simulateYear(recording, options)
  expect(result.checks.filter(({ broken }) => broken > 0)).toEqual([])
  expect(isSound(result)).toBe(true)
  expect(result.checks.every(({ cases }) => cases > 0)).toBe(true)
  const { counts } = result
  expect(counts.articles).toBe(SIZE.articles)
  expect(counts.fills).toBeGreaterThanOrEqual(SIZE.fills)
  expect(counts.deliveries).toBeGreaterThan(SIZE.fills * 1.03)
  expect(counts.late_fills).toBeGreaterThan(SIZE.fills / 50)
  expect(counts.duplicates).toBeGreaterThan(SIZE.articles / 10)
  for (const some of ['reversals', 'without_story', 'scratches'] as const) {
    expect(counts[some]).toBeGreaterThan(0)
  }
}, 240_000)

/** Changes the first answer of a call that a condition holds for. */
const once = (
  call: string,
  change: (answer: Answer) => void,
  when: (answer: Answer) => boolean = () => true,
) => {
  let isDone = false
  return (name: string, answer: Answer) => {
    if (isDone || name !== call || !when(answer)) return
    isDone = true
    change(answer)
  }
}
const more = (value: string) => (Number(value) + 0.000001).toFixed(6)
const isFinal = ({ items }: Answer) => items.every(({ status }: Answer) => status === 'closed')
const first = (change: (item: Answer) => void) => (answer: Answer) => change(answer.items[0])
const isIdle = ({ trades_processed, sources_updated }: Answer) =>
  trades_processed === 0 || sources_updated === 0

test.each([
  {
    broken: 'a fill counts once, however often it is delivered',
    by: once(
      'persist_trade_execution',
      (answer) => Object.assign(answer, { duplicate: false, position_updated: true }),
      ({ duplicate }) => duplicate,
    ),
  },
  {
    broken: 'a repeated delivery answers the stored fill',
    by: once(
      'persist_trade_execution',
      (answer) => Object.assign(answer, { trade_id: 'trd_other' }),
      ({ duplicate }) => duplicate,
    ),
  },
  {
    broken: 'what a fill leaves open is what the ledger holds',
    by: once('persist_trade_execution', ({ position }) => {
      position.qty_open = more(position.qty_open)
    }),
  },
  {
    broken: 'late fills are told as late',
    by: once('persist_trade_execution', (answer) => Object.assign(answer, { is_late: true })),
  },
  {
    broken: 'no two positions are open of one account and symbol',
    by: once(
      'positions',
      ({ items }) => items.push({ ...items[0], position_id: 'pos_other' }),
      ({ items }) => items.length > 0,
    ),
  },
  {
    broken: 'P&L so far is cash and cost',
    by: once(
      'positions',
      first((position) => {
        position.realized_pnl = String(Number(position.realized_pnl) + 0.01)
      }),
      ({ items }) => items.length > 0,
    ),
  },
  {
    broken: 'as many fills are stored as there are executions',
    by: once('trades', ({ items }) => items.pop()),
  },
  {
    broken: 'P&L is Σ realised, to the last decimal',
    by: once(
      'positions',
      first((position) => {
        position.realized_pnl = `${position.realized_pnl}${position.realized_pnl.includes('.') ? '' : '.'}0000000001`
      }),
      (answer) => isFinal(answer) && answer.items.length > 0,
    ),
  },
  {
    broken: 'fees are conserved',
    by: once(
      'positions',
      first((position) => {
        position.fees = more(position.fees)
      }),
      (answer) => isFinal(answer) && answer.items.length > 0,
    ),
  },
  {
    broken: "a position's fills add up to it",
    by: once('trades', ({ items }) => {
      items[0].positions[0].quantity = more(items[0].positions[0].quantity)
    }),
  },
  {
    broken: 'a position is the trade of the ledger',
    by: once(
      'positions',
      first((position) => {
        position.direction = position.direction === 'long' ? 'short' : 'long'
      }),
      (answer) => isFinal(answer) && answer.items.length > 0,
    ),
  },
  {
    broken: 'every closed position has evidence or a reason',
    by: once(
      'positions',
      first((position) => {
        position.learned_at = null
      }),
      (answer) => isFinal(answer) && answer.items.length > 0,
    ),
  },
  {
    broken: 'a source answers for the results that cite it',
    by: once('news/sources', ({ sources }) => {
      const { totals } = sources.find(({ n_eff }: Answer) => n_eff > 0)
      totals.w_win += 1
      totals.w_loss -= 1
    }),
  },
  {
    broken: 'evidence is neither made nor lost',
    by: once('news/sources', ({ sources }) => {
      sources[0].totals.w_win += 0.001
    }),
  },
  {
    broken: 'a second sync of outcomes changes nothing',
    by: once(
      'sync_catalyst_outcomes',
      (answer) => {
        answer.news_accuracy_updated = 1
      },
      isIdle,
    ),
  },
  {
    broken: 'computing the sources again changes nothing',
    by: once(
      'sync_source_metrics',
      (answer) => {
        answer.sources_updated = 1
      },
      isIdle,
    ),
  },
  {
    broken: 'planted reliabilities are recovered',
    by: once('news/sources', ({ sources }) => {
      for (const source of sources) {
        source.ci_low = 0.9
        source.ci_high = 0.95
      }
    }),
  },
])('it would be seen if it did not hold: $broken', async ({ broken, by }) => {
  const result = await simulateYear(recording.replayed(by), options)
  expect(isSound(result)).toBe(false)
  expect(result.checks.filter((check) => check.broken > 0).map(({ name }) => name)).toContain(
    broken,
  )
})
