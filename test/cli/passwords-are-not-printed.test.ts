import { expect, test } from 'vitest'
import { loadConfig } from '../../src/config.js'
import { AppError } from '../../src/errors.js'
import { redactUrl } from '../../src/lib/secret.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { checkUrls } from '../../src/systems.js'

/** Passwords with what stands for something else in a URL, none of them encoded. */
const PASSWORDS = [
  's3cr/et9',
  's3cr#et9',
  's3cr?et9',
  '1234/et9',
  '1234?et9',
  '1234#et9',
  's3%ffet9',
]
const SECRET = /s3cr|et9|1234|s3%/

const told = (env: Record<string, string>): string => {
  try {
    checkUrls(loadConfig(env))
    return ''
  } catch (error) {
    return error instanceof AppError ? `${error.message} ${error.hint}` : String(error)
  }
}

test.each(PASSWORDS)(
  '%s in a URL is refused with how to write it, and not repeated',
  (password) => {
    for (const [name, scheme, path] of [
      ['DATABASE_URL', 'postgres', '/catalyst'],
      ['DATABASE_URL', 'postgresql', '/catalyst?sslmode=require'],
      ['REDIS_URL', 'redis', '/0'],
      ['REDIS_URL', 'redis+sentinel', '/primary'],
    ] as const) {
      const refusal = told({ [name]: `${scheme}://user:${password}@db.example${path}` })
      expect(refusal, `${scheme} ${password}`).toContain('%')
      expect(refusal).toContain('%2F')
      expect(refusal).not.toMatch(SECRET)
    }
  },
)

test('an @ in a password ends where the last one is, and nothing of it is shown', () => {
  const { label } = parseDatabaseUrl('postgres://user:s3cr@et9@db.example/catalyst')
  expect(label).toBe('db.example:5432/catalyst')
  expect(redactUrl('redis://user:s3cr@et9@cache.example:6380/0')).toBe(
    'redis://cache.example:6380/0',
  )
})
