import { expect, test, vi } from 'vitest'
import { Outage } from '../../src/lib/outage.js'

test('an outage is told when it begins, now and then, and when it ends', () => {
  vi.useFakeTimers({ now: 0 })
  const lines: string[] = []
  const tell = (_: object, message: string) => void lines.push(message)
  const outage = new Outage({ warn: tell, error: tell }, 'the cache')
  outage.over()
  // An attempt a second for eleven minutes.
  for (let second = 0; second <= 660; second++) {
    outage.failed(new Error('away'))
    vi.advanceTimersByTime(1_000)
  }
  outage.over()
  outage.over()
  outage.failed(new Error('away'))
  vi.useRealTimers()
  expect(lines).toEqual([
    'the cache is interrupted, trying again',
    'the cache is still interrupted',
    'the cache is still interrupted',
    'the cache works again',
    'the cache is interrupted, trying again',
  ])
})
