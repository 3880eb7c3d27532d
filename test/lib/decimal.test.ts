import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  decimal,
  decimalOf,
  money,
  plain,
  price,
  quantity,
  rounded,
} from '../../src/lib/decimal.js'

const micros = (max: bigint) =>
  fc.bigInt({ min: -max, max }).map((units) => {
    const digits = (units < 0n ? -units : units).toString().padStart(7, '0')
    return `${units < 0n ? '-' : ''}${digits.slice(0, -6)}.${digits.slice(-6)}`
  })

test('every amount with six decimals is taken as it is, digit by digit', () => {
  fc.assert(
    fc.property(micros(99_999_999_999_999_999_999n), (text) => {
      const taken = money().parse(text)
      const [whole, fraction = ''] = taken.replace('-', '').split('.')
      expect(`${whole}.${fraction.padEnd(6, '0')}`).toBe(text.replace('-', ''))
      expect(decimal(taken).eq(decimal(text))).toBe(true)
    }),
  )
})

test('a sum of exact parts is exact, in any order', () => {
  fc.assert(
    fc.property(fc.array(micros(10n ** 18n), { maxLength: 30 }), (parts) => {
      const sum = (list: string[]) =>
        plain(list.reduce((total, part) => total.plus(part), decimal(0)))
      const units = parts.reduce((total, part) => total + BigInt(part.replace('.', '')), 0n)
      expect(sum(parts)).toBe(sum([...parts].reverse()))
      expect(decimal(sum(parts)).times(1_000_000).eq(units.toString())).toBe(true)
    }),
  )
})

test.each([
  [0.1, '0.1'],
  [1e-6, '0.000001'],
  ['1.500000000', '1.5'],
  [' 12.50 ', '12.5'],
  [999_999_999_999, '999999999999'],
  ['999999999999.999999', '999999999999.999999'],
])('%j is the price %s', (given, taken) => {
  expect(price().parse(given)).toBe(taken)
})

test.each([
  [0, 'greater than 0'],
  [-1, 'greater than 0'],
  ['0.0000001', 'at most 6 decimals'],
  [1e-9, 'at most 6 decimals'],
  [1.1234567, 'at most 6 decimals'],
  ['1000000000000', 'less than 10^12'],
  [Number('123456789012.12345'), 'send it as text'],
  [1e21, 'less than 10^12'],
  ['1e3', 'must be a decimal number'],
  ['NaN', 'must be a decimal number'],
  ['Infinity', 'must be a decimal number'],
  ['', 'must be a decimal number'],
  ['+3', 'must be a decimal number'],
  ['1; drop table x', 'must be a decimal number'],
  ['٣', 'must be a decimal number'],
  ['0x10', 'must be a decimal number'],
])('%j is no quantity', (given, problem) => {
  expect(quantity().safeParse(given).error?.issues[0]?.message).toContain(problem)
})

test.each([Number.NaN, Number.POSITIVE_INFINITY, true, null, {}, [], '1'.repeat(65)])(
  '%j is refused as no number at all',
  (given) => {
    expect(quantity().safeParse(given).success).toBe(false)
  },
)

test('a sign that is not allowed is refused, one that is allowed is kept', () => {
  const notNegative = decimalOf({ digits: 3, decimals: 2, sign: 'not negative' })
  expect(notNegative.safeParse(-0.01).success).toBe(false)
  expect(notNegative.parse(0)).toBe('0')
  expect(money().parse(-12.5)).toBe('-12.5')
})

test('halves are rounded away from zero, as the database rounds them', () => {
  expect(plain(rounded(decimal('2.5'), 0))).toBe('3')
  expect(plain(rounded(decimal('-2.5'), 0))).toBe('-3')
  expect(plain(rounded(decimal('1.0000005'), 6))).toBe('1.000001')
})
