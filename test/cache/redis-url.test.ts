import fc from 'fast-check'
import { expect, test } from 'vitest'
import { AppError } from '../../src/errors.js'
import { parseRedisUrl, type RedisTarget } from '../../src/platform/cache/redis-url.js'

const plain = { login: {}, db: 0, tls: null }
const host = (name: string, port = 6379) => ({ host: name, port })

test.each<[string, RedisTarget]>([
  ['redis://cache', { ...plain, site: { kind: 'server', host: host('cache') } }],
  [
    'redis://cache:7000/3',
    { ...plain, db: 3, site: { kind: 'server', host: host('cache', 7000) } },
  ],
  [
    'redis://[::1]:7000?db=2',
    { ...plain, db: 2, site: { kind: 'server', host: host('::1', 7000) } },
  ],
  ['rediss://cache/', { ...plain, tls: {}, site: { kind: 'server', host: host('cache') } }],
  [
    'unix:///run/a%20b.sock?db=1',
    { ...plain, db: 1, site: { kind: 'socket', path: '/run/a b.sock' } },
  ],
  ['/run/redis.sock', { ...plain, site: { kind: 'socket', path: '/run/redis.sock' } }],
  [
    'redis+cluster://a:7000,b',
    { ...plain, site: { kind: 'cluster', hosts: [host('a', 7000), host('b')] } },
  ],
  [
    'rediss+sentinel://a,b:1/main/4?sentinel_username=s&sentinel_password=t+u',
    {
      ...plain,
      db: 4,
      tls: {},
      site: {
        kind: 'sentinel',
        hosts: [host('a', 26_379), host('b', 1)],
        name: 'main',
        login: { username: 's', password: 't+u' },
      },
    },
  ],
])('reads %s', (url, target) => {
  expect(parseRedisUrl(url)).toEqual(target)
})

test('any user and password arrive, however they are given', () => {
  const text = () =>
    fc.string({ unit: 'grapheme', minLength: 1 }).map((each) => each.toWellFormed())
  fc.assert(
    fc.property(text(), text(), (username, password) => {
      const [user, secret] = [username, password].map(encodeURIComponent)
      const login = { username, password }
      expect(parseRedisUrl(`redis://${user}:${secret}@cache`).login).toEqual(login)
      const inQuery = `redis://cache?username=${user}&password=${secret}`
      expect(parseRedisUrl(inQuery).login).toEqual(login)
    }),
  )
})

test.each([
  ['redis://:hunter2#@cache', 'cannot be read'],
  ['redis://:hunter2/x@cache', 'has an @ after the host'],
  ['redis://:hunter2%@cache', 'has a % that is not followed by two hexadecimal digits'],
  ['redis://:hunter2@', 'names no host'],
  ['redis://:hunter2@cache:0', 'has a port that is not from 1 to 65535'],
  ['redis://:hunter2@cache:65536', 'has a port that is not from 1 to 65535'],
  ['redis://:hunter2@cache:x', 'names no host, or one that is not a name or an address'],
  ['redis://:hunter2@a,b', 'names several hosts'],
  ['redis://:hunter2@cache/main', 'has a database number that is not a whole number'],
  ['redis://:hunter2@cache?passwort=hunter2', 'has an unknown parameter; there are username,'],
  ['redis://:hunter2@cache?ca=/ca.pem', 'names a ca, which needs rediss://'],
  ['rediss://:hunter2@cache?ca=/no/such/file', 'names a ca file that cannot be read'],
  ['redis+sentinel://:hunter2@a,b', 'needs the name of the primary'],
  ['redis+sentinel://:hunter2@a/main/0/x', 'needs the name of the primary'],
  ['redis+cluster://:hunter2@a/1', 'names a database number, but a Redis Cluster has only 0'],
  ['redis+ring://:hunter2@a', 'has an unknown scheme'],
  ['redisx://:hunter2@a', 'has an unknown scheme'],
  ['http+cluster://:hunter2@a', 'has an unknown scheme'],
  ['unix://run/redis.sock?password=hunter2', 'needs an absolute path'],
])('refuses %s and says why without any part of it', (url, reason) => {
  const error = failureOf(() => parseRedisUrl(url))
  expect(error).toMatchObject({ code: 'invalid_input' })
  expect(error.message).toMatch(new RegExp(`^REDIS_URL (${reason})`))
  expect(`${error.message} ${error.hint} ${error.cause}`).not.toContain('hunter2')
})

function failureOf(call: () => unknown): AppError {
  try {
    call()
  } catch (error) {
    if (error instanceof AppError) return error
  }
  throw new Error('it was not refused')
}
