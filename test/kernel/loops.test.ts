import { expect, onTestFinished, test } from 'vitest'
import { Ending } from '../../src/kernel/ending.js'
import { Loops } from '../../src/kernel/loops.js'
import { databaseOutage } from '../../src/platform/postgres/outage.js'
import { waitFor } from '../support/wait-for.js'

const HOUR_MS = 3_600_000

/** A loop that rests for an hour unless it is woken, with what it told. */
function startLoop(work: (signal: AbortSignal) => Promise<void>, everyMs = HOUR_MS) {
  const lines: string[] = []
  const tell = (_: object, message: string) => void lines.push(message)
  const outage = databaseOutage({ warn: tell, error: tell })
  const ending = new Ending()
  const loops = new Loops(outage, ending)
  const loop = loops.every('the work', { everyMs, retry: { firstMs: 1, maxMs: 2 } }, work)
  onTestFinished(() => ending.run())
  loops.begin()
  return { loop, lines }
}

test('what fails is tried again by itself, and told once when it begins and once when it ends', async () => {
  let rounds = 0
  const { loop, lines } = startLoop(async () => {
    rounds++
    if (rounds < 5) throw new Error(`failure ${rounds}`)
  })
  await waitFor(() => rounds === 5)
  await waitFor(() => loop.trouble === null)
  expect(lines).toEqual(['the work is interrupted, trying again', 'the work works again'])
})

test('its trouble is what failed last', async () => {
  const { loop } = startLoop(async () => {
    throw new Error('away')
  })
  await waitFor(() => loop.trouble !== null)
  expect(loop.trouble).toEqual(new Error('away'))
})

test('a call during a round is followed by another round', async () => {
  let rounds = 0
  const { loop } = startLoop(async () => {
    rounds++
    if (rounds === 1) loop.wake()
  })
  await waitFor(() => rounds === 2)
  loop.wake()
  await waitFor(() => rounds === 3)
})

test('its end waits for the round, of which nothing is told, and nothing follows', async () => {
  let rounds = 0
  let isOver = false
  const { loop, lines } = startLoop(async (signal) => {
    rounds++
    await new Promise((resolve) => signal.addEventListener('abort', resolve))
    await new Promise(setImmediate)
    isOver = true
    throw new Error('told to end')
  }, 0)
  await waitFor(() => rounds === 1)
  await loop.stop()
  expect([isOver, rounds, lines]).toEqual([true, 1, []])
  loop.start()
  loop.wake()
  await loop.stop()
  expect(rounds).toBe(1)
})

test('its first round waits for what it comes after, and calls of a moment are one round', async () => {
  let rounds = 0
  let migrated = (): void => {}
  const after = new Promise<void>((resolve) => {
    migrated = resolve
  })
  const ending = new Ending()
  const loops = new Loops(databaseOutage({ warn: () => {}, error: () => {} }), ending)
  onTestFinished(() => ending.run())
  const loop = loops.every('the work', { everyMs: HOUR_MS, gatherMs: 20, after }, () => rounds++)
  loops.begin()
  await new Promise(setImmediate)
  expect([rounds, loop.succeededAt]).toEqual([0, null])
  migrated()
  // Called while they are gathered, and so answered by the first round.
  loop.wake()
  await waitFor(() => rounds === 1)
  await waitFor(() => loop.succeededAt !== null)
  loop.wake()
  loop.wake()
  await waitFor(() => rounds === 2)
  await ending.run()
  expect(rounds).toBe(2)
  expect(loops.all.map(({ name, failingSince }) => [name, failingSince])).toEqual([
    ['the work', null],
  ])
})
