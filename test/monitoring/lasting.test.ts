import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Hysteresis, type Judged } from '../../src/domains/monitoring/hysteresis.js'
import { lockTrees } from '../../src/domains/monitoring/lock-trees.js'
import type { LockSession } from '../../src/domains/monitoring/locks.sql.js'
import { StatementDeltas } from '../../src/domains/monitoring/statement-deltas.js'
import { Trends } from '../../src/domains/monitoring/trend.js'

const concern = (object: string) => ({
  severity: 'warning' as const,
  object,
  title: '',
  evidence: {},
  threshold: 1,
  next_step: '',
})
const sample = (objects: readonly string[], measurement: number): Judged[] => [
  {
    check: 'one',
    isSettled: false,
    isOwn: false,
    judgement: { value: 0, threshold: 1, concerns: objects.map(concern), measurement },
  },
]

test('a finding rises after two samples in a row and falls after three, whatever the samples are', () => {
  const samples = fc.array(fc.boolean(), { maxLength: 40 })
  fc.assert(
    fc.property(samples, (seen) => {
      const hysteresis = new Hysteresis()
      let isHeld = false
      for (const [at, isSeen] of seen.entries()) {
        hysteresis.feed(sample(isSeen ? ['x'] : [], at), new Date(at), at)
        const last = (count: number) => at + 1 >= count && seen.slice(at + 1 - count, at + 1)
        const [two, three] = [last(2), last(3)]
        if (two !== false && two.every(Boolean)) isHeld = true
        if (three !== false && !three.some(Boolean)) isHeld = false
        expect(hysteresis.held.map(({ concern: { object } }) => object)).toEqual(
          isHeld ? ['x'] : [],
        )
      }
    }),
  )
})

test('the same measurement counts once, and what is not known changes nothing', () => {
  const hysteresis = new Hysteresis()
  for (let at = 0; at < 5; at++) hysteresis.feed(sample(['x'], 7), new Date(), at)
  expect(hysteresis.held).toEqual([])
  hysteresis.feed(sample(['x'], 8), new Date(), 6)
  const nothing: Judged = {
    check: 'one',
    isSettled: false,
    isOwn: false,
    judgement: { unknown: 'It does not answer.' },
  }
  for (let at = 0; at < 5; at++) hysteresis.feed([nothing], new Date(), 7 + at)
  expect(hysteresis.held).toHaveLength(1)
})

test('what must have lasted is told when it has', () => {
  const hysteresis = new Hysteresis()
  const held = (at: number) => {
    const [one] = sample(['x'], at)
    if (!one || 'unknown' in one.judgement) throw new Error('no sample')
    const concerns = [{ ...concern('x'), afterMs: 1_000 }]
    hysteresis.feed([{ ...one, judgement: { ...one.judgement, concerns } }], new Date(at), at)
    return hysteresis.held.length
  }
  expect([0, 500, 999, 1_000].map(held)).toEqual([0, 0, 0, 1])
})

test('a trend says when a figure ends, and nothing of one that stands still or falls', () => {
  const of = (values: readonly number[]) => {
    const trends = new Trends()
    const approach = (value: number) => ({ object: 'x', value, limit: 100, what: 'it' })
    for (const [at, value] of values.entries()) trends.feed('c', [approach(value)], at * 10_000)
    return trends.of('c', approach(values.at(-1) ?? 0))
  }
  // One in ten seconds: from 70 to 100 it takes 300 s.
  expect(of(Array.from({ length: 11 }, (_, at) => 60 + at))).toEqual({
    per_hour: 360,
    eta_seconds: 300,
    text: 'it full in 5 min',
  })
  expect(of([60, 60, 60, 60, 60])).toBeNull()
  expect(of([64, 63, 62, 61, 60])).toBeNull()
  expect(of([60, 61])).toBeNull()
})

test('counters never run backwards: a reset begins anew, an evicted statement counts from nothing', () => {
  const counters = (calls: number) => ({
    key: 'a',
    queryid: '1',
    calls,
    total_ms: calls * 10,
    rows: 0,
    blocks_hit: 0,
    blocks_read: 0,
    temp_blocks: 0,
  })
  fc.assert(
    fc.property(
      fc.array(fc.record({ calls: fc.nat(100), reset: fc.nat(2), evictions: fc.nat(3) })),
      (snapshots) => {
        const deltas = new StatementDeltas()
        for (const [at, { calls, reset, evictions }] of snapshots.entries()) {
          const snapshot = { at_ms: at, stats_reset: `${reset}`, evictions, block_size: 8_192 }
          const statements = calls === 0 ? [] : [counters(calls)]
          deltas.feed({ ...snapshot, statements }, new Date(at), at * 1_000)
          for (const use of [deltas.use(600), deltas.baseline()]) {
            for (const one of use?.statements ?? []) {
              expect(one.calls).toBeGreaterThan(0)
              expect(one.total_ms).toBeGreaterThanOrEqual(0)
            }
          }
        }
      },
    ),
  )
})

test('every session that waits stands in the trees exactly once, in whatever way they wait', () => {
  const edges = fc.array(fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { maxLength: 3 }), {
    minLength: 8,
    maxLength: 8,
  })
  fc.assert(
    fc.property(edges, (blockers) => {
      const sessions = blockers.map((blocked_by, at): LockSession => {
        const others = blocked_by.filter((pid) => pid !== at + 1)
        const wait_ms = others.length > 0 ? at : null
        const facts = { application_name: '', role: null, state: null, wait_event: null }
        const ages = { transaction_age_ms: null, state_age_ms: null, query: null }
        const locks = { wanted: null, held: [], gid: null }
        return { pid: at + 1, blocked_by: others, wait_ms, ...facts, ...ages, ...locks }
      })
      const pids: number[] = []
      const walk = (tree: { pid: number; blocks: readonly unknown[] }): void => {
        pids.push(tree.pid)
        for (const below of tree.blocks) walk(below as typeof tree)
      }
      for (const tree of lockTrees(sessions)) walk(tree)
      expect(new Set(pids).size).toBe(pids.length)
      for (const { pid, blocked_by } of sessions)
        if (blocked_by.length > 0) expect(pids).toContain(pid)
    }),
  )
})
