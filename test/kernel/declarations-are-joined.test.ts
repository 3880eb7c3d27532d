import { expect, test } from 'vitest'
import { z } from 'zod'
import { declare, event, joined } from '../../src/kernel/declare.js'

const happened = () => event('info', 'Something happened.', z.object({}))
const a = declare({ settings: { CATALYST_A: z.string() }, events: { 'a.happened': happened() } })
const b = declare({ policy: { b: z.object({}) }, events: { 'b.happened': happened() } })

test('what parts declare is joined, in order, each under its own name', () => {
  expect(Object.keys(joined([a, b], 'events'))).toEqual(['a.happened', 'b.happened'])
  expect(Object.keys(joined([b, a], 'events'))).toEqual(['b.happened', 'a.happened'])
  expect(Object.keys(joined([a, b], 'settings'))).toEqual(['CATALYST_A'])
  expect(Object.keys(joined([a, b], 'policy'))).toEqual(['b'])
})

test('a name that two have declared is refused', () => {
  const again = declare({ events: { 'a.happened': happened() } })
  expect(() => joined([a, b, again], 'events')).toThrow('two parts have the same events')
})
