import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'

const { client } = await startApp()

test.each([
  ['1::int2', 1],
  ['-2147483648', -2147483648],
  ['2147483648', '2147483648'],
  ['9007199254740993::int8', '9007199254740993'],
  ['1.10::numeric', '1.10'],
  [`'NaN'::numeric`, 'NaN'],
  ['0.1::float8', 0.1],
  ['0.1::float4', 0.1],
  ['1e308::float8', 1e308],
  [`'NaN'::float8`, 'NaN'],
  [`'-Infinity'::float8`, '-Infinity'],
  [`'-0'::float8`, '-0'],
  ['true', true],
  ['null::int', null],
  [`''`, ''],
  [`'a' || chr(128512) || 'ש'`, 'a😀ש'],
  [`'12.34'::money::numeric`, '12.34'],
  [`'2024-08-09 11:04:00.123456+02'::timestamptz`, '2024-08-09T09:04:00.123456Z'],
  [`'infinity'::timestamptz`, 'infinity'],
  [`'2024-08-09 11:04:00.5'::timestamp`, '2024-08-09T11:04:00.5'],
  [`'2024-08-09'::date`, '2024-08-09'],
  [`'11:04:00.000001'::time`, '11:04:00.000001'],
  [`'1 year 2 days 03:04:05.5'::interval`, 'P1Y2DT3H4M5.5S'],
  [`'{"a": 1.10, "b": 12345678901234567890}'::json`, '{"a": 1.10, "b": 12345678901234567890}'],
  [`'{"b":1.10,"a":2}'::jsonb`, '{"a": 2, "b": 1.10}'],
  [`'\\x00ff'::bytea`, '\\x00ff'],
  [`array[1.10, null, 'NaN']::numeric[]`, ['1.10', null, 'NaN']],
  [
    `array[[1,2],[3,null]]`,
    [
      [1, 2],
      [3, null],
    ],
  ],
  [`'{}'::int[]`, []],
  [`'[0:1]={1,2}'::int[]`, [1, 2]],
  [
    `array['a"b', 'c\\d', 'NULL', '', null, '{x}', 'a,b']`,
    ['a"b', 'c\\d', 'NULL', '', null, '{x}', 'a,b'],
  ],
  [`array['(1,2),(0,0)'::box, '(3,4),(1,1)'::box]`, ['(1,2),(0,0)', '(3,4),(1,1)']],
  [`array[true, false]`, [true, false]],
  [`array['2024-01-01T00:00Z'::timestamptz]`, ['2024-01-01T00:00:00Z']],
  [`int4range(1, 5)`, '[1,5)'],
  [`row(1, 'a b')`, '(1,"a b")'],
  [`'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid`, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'],
])('%s', async (expression, value) => {
  const { rows } = await client.tool('query_database', { sql: `select ${expression}` })
  expect(rows).toEqual([[value]])
})

test('two columns of one name are both there, with their types', async () => {
  const { columns, rows } = await client.tool('query_database', {
    sql: 'select 1 as a, 2.50::numeric(6,2) as a',
  })
  expect(columns).toEqual([
    { name: 'a', type: 'integer' },
    { name: 'a', type: 'numeric(6,2)' },
  ])
  expect(rows).toEqual([[1, '2.50']])
})
