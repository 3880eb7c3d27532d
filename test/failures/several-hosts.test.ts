import { expect, test } from 'vitest'
import { splitHosts } from '../../src/platform/postgres/host-list.js'

const hosts = (url: string) => splitHosts(url).targets.map(({ host, port }) => `${host}:${port}`)

test.each([
  ['postgresql://u:p@h1:5433,h2/db', ['h1:5433', 'h2:5432']],
  ['postgres://h1,h2,h3/db?port=6000', ['h1:6000', 'h2:6000', 'h3:6000']],
  ['postgresql://u:p%40ss@[::1]:5433,10.0.0.1:5434/db', ['::1:5433', '10.0.0.1:5434']],
  ['postgresql://u@/db?host=h1,h2&port=1,2', ['h1:1', 'h2:2']],
  ['postgresql://u@/db?host=/run/a&host=/run/b', ['/run/a:5432', '/run/b:5432']],
  ['postgresql://u@%2Frun%2Fa,%2Frun%2Fb/db', ['/run/a:5432', '/run/b:5432']],
  ['postgresql://u@/db', ['localhost:5432']],
  ['postgresql://h1/db?target_session_attrs=read-write', ['h1:5432']],
])('%s names its servers as libpq does', (url, expected) => {
  expect(hosts(url)).toEqual(expected)
})

test('everything but the servers stays as it was', () => {
  const split = splitHosts('postgresql://u:p%40ss@h1,h2/db?sslmode=disable&port=6000')
  expect(split.base).toBe('postgresql://u:p%40ss@localhost')
  expect(split.database).toBe('db')
  expect(String(split.parameters)).toBe('sslmode=disable')
})

test.each([
  'postgresql://h1,h2,h3/db?port=1,2',
  'postgresql://h1:0/db',
  'postgresql://h1:65536/db',
  'postgresql://h1:x/db',
  'mysql://h1/db',
])('%s is refused without repeating it', (url) => {
  expect(() => splitHosts(url)).toThrow(TypeError)
  expect(() => splitHosts(url)).not.toThrow(url)
})
