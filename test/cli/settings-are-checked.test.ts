import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { runCommand } from '../support/cli.js'

test('all problems are named at once, with exit code 3 and without any value', async () => {
  const result = await runCommand(['serve'], {
    DATABASE_URL: 'mysql://root:hunter2@db/x',
    REDIS_URL: 'http://:sesame@cache',
    PORT: 'eighty',
    HOST: '0.0.0.0',
    CATALYST_POOL_MAXX: '10',
    LOG_LEVEL: 'loud',
  })
  expect(result.code).toBe(3)
  for (const name of [
    'DATABASE_URL',
    'REDIS_URL',
    'PORT',
    'HOST',
    'CATALYST_POOL_MAXX',
    'LOG_LEVEL',
  ]) {
    expect(result.stderr).toContain(name)
  }
  expect(result.stderr).toContain('CATALYST_TOKENS')
  expect(result.stdout + result.stderr).not.toMatch(/hunter2|sesame/)
})

test.each([
  ['DATABASE_URL', 'postgres://u:hunter2@h:99999/x', 'a port of the PostgreSQL URL'],
  ['DATABASE_DIRECT_URL', 'postgres://u:hunter2@h/x?sslrootcert=/no/such/file', 'certificate'],
])('%s that cannot be read is refused before anything is started', async (name, url, reason) => {
  const folder = mkdtempSync(join(tmpdir(), 'catalyst-data-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const result = await runCommand(['serve'], { CATALYST_DATA_DIR: folder, [name]: url })
  expect(result.code).toBe(3)
  expect(result.stderr).toContain(`${name}: `)
  expect(result.stderr).toContain(reason)
  expect(result.stderr).not.toMatch(/hunter2|\n\s+at /)
  expect(readdirSync(folder)).toEqual([])
})

test('a Redis URL that cannot be read is refused before anything is started', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'catalyst-data-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const result = await runCommand(['serve'], {
    CATALYST_DATA_DIR: folder,
    REDIS_URL: 'redis+sentinel://:hunter2@cache',
  })
  expect(result.code).toBe(3)
  expect(result.stderr).toContain('REDIS_URL needs the name of the primary')
  expect(result.stderr).not.toContain('hunter2')
  expect(readdirSync(folder)).toEqual([])
})

test('a secret may come from a file, and is never printed', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'catalyst-secret-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'url')
  writeFileSync(file, 'postgresql://trader:hunter2@127.0.0.1:1/db\n')
  const printed = await runCommand(['config', 'print'], { DATABASE_URL_FILE: file })
  expect(printed.code).toBe(0)
  expect(printed.stdout).toMatch(/DATABASE_URL\s+127\.0\.0\.1:1\/db/)
  expect(printed.stdout + printed.stderr).not.toContain('hunter2')
  const both = await runCommand(['config', 'print', '--json'], {
    DATABASE_URL_FILE: file,
    DATABASE_URL: 'postgresql://127.0.0.1/db',
  })
  expect(both.code).toBe(3)
  expect(both.stderr).toContain('not both')
})

test('an unknown command or option is a usage error', async () => {
  expect((await runCommand(['sevre'], {})).code).toBe(2)
  expect((await runCommand(['status', '--jason'], {})).code).toBe(2)
  expect((await runCommand(['--help'], {})).code).toBe(0)
})
