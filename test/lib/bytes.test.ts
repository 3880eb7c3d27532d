import fc from 'fast-check'
import { expect, test } from 'vitest'
import { humanBytes } from '../../src/lib/bytes.js'

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB']
const size = () => fc.double({ min: 0, max: Number.MAX_SAFE_INTEGER, noNaN: true }).map(Math.floor)

const parse = (text: string): number => {
  const [number = '', unit = ''] = text.split(' ')
  return Number(number) * 1024 ** UNITS.indexOf(unit)
}

test.each([
  [0, '0 B'],
  [1023, '1023 B'],
  [1024, '1.0 kB'],
  [1_258_291, '1.2 MB'],
  [1024 * 1024 - 1, '1.0 MB'],
  [3 * 1024 ** 4, '3.0 TB'],
  [5_000 * 1024 ** 5, '5000.0 PB'],
  [-2048, '-2.0 kB'],
])('%d is %s', (bytes, text) => expect(humanBytes(bytes)).toBe(text))

test('reads back as the same size within rounding, below 1024 of its unit', () => {
  fc.assert(
    fc.property(size(), (bytes) => {
      const text = humanBytes(bytes)
      expect(text).toMatch(/^\d{1,4}(\.\d)? (B|[kMGTP]B)$/)
      expect(Number.parseFloat(text)).toBeLessThan(1024)
      expect(Math.abs(parse(text) - bytes)).toBeLessThanOrEqual(bytes * 0.051)
    }),
  )
})

test('a larger size is never printed as a smaller one', () => {
  fc.assert(
    fc.property(size(), size(), (a, b) => {
      const [small, large] = a < b ? [a, b] : [b, a]
      expect(parse(humanBytes(small))).toBeLessThanOrEqual(parse(humanBytes(large)))
    }),
  )
})
