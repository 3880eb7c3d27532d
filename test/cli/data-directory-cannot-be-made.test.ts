import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, inject, test } from 'vitest'
import { makeFolders } from '../../src/lib/folders.js'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'

const folder = mkdtempSync(join(tmpdir(), 'cdb-nowhere-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const isRoot = process.getuid?.() === 0
const MAIN = resolve('dist/main.js')
const database = await createDatabase()

/** Runs the program where `readOnly` is a read-only file system. */
async function onReadOnly(readOnly: string, args: string, env: Record<string, string>) {
  mkdirSync(readOnly, { recursive: true })
  const line = `mount -t tmpfs -o ro none ${readOnly} && exec ${process.execPath} ${MAIN} ${args}`
  const child = spawn('unshare', ['--mount', 'sh', '-c', line], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise((done) => child.on('close', done))
  const stderr = await text(child.stderr)
  return { code: await ended, stderr }
}

test.runIf(isRoot)('a read-only file system is named with what to do', async () => {
  const readOnly = join(folder, 'read-only')
  const script = join(folder, 'up.sql')
  writeFileSync(script, 'create table public.a (id int);')
  const external = { DATABASE_URL: database.url }
  const settings = { CATALYST_DATA_DIR: readOnly, LOG_LEVEL: 'silent' }
  for (const env of [settings, { ...settings, ...external }]) {
    const { code, stderr } = await onReadOnly(readOnly, 'serve', env)
    expect(stderr).toBe(
      `catalyst-db: mkdir ${readOnly}/embedded failed: the file system is read-only.\nSet CATALYST_DATA_DIR to a folder that can be written.\n`,
    )
    expect(code).toBe(3)
  }
  const created = await onReadOnly(readOnly, `migrate create add_a --up ${script}`, {
    ...settings,
    ...external,
    REDIS_URL: `unix://${inject('redisPath')}`,
  })
  expect(created.stderr).toContain('could not be written (EROFS)')
  expect(created.stderr).toContain('set CATALYST_MIGRATIONS_DIR')
  expect(created.code).toBe(3)
})

test('a link that leads nowhere or in a circle, and a name that is too long, are named', async () => {
  const dangling = join(folder, 'dangling')
  symlinkSync(join(folder, 'nothing'), dangling)
  const circle = join(folder, 'circle')
  symlinkSync(circle, circle)
  const long = join(folder, 'n'.repeat(300))
  for (const [place, cause] of [
    [dangling, 'a link that leads nowhere'],
    [circle, 'in a circle'],
    [long, 'too long'],
  ] as const) {
    const { code, stderr } = await runCommand(['serve'], { CATALYST_DATA_DIR: place })
    expect(stderr).toContain(cause)
    expect(stderr).toContain('Set CATALYST_DATA_DIR to ')
    expect(code).toBe(3)
  }
})

test.runIf(existsSync('/proc/self'))('a place that takes no folders does not hang', async () => {
  const { code, stderr } = await runCommand(['serve'], { CATALYST_DATA_DIR: '/proc/foo' })
  expect(stderr).toContain('mkdir /proc/foo failed: that place takes no folders')
  expect(code).toBe(3)
})

test('missing folders are made one below the other, and present ones are left alone', () => {
  const deep = join(folder, 'a', 'b', '..', 'c')
  makeFolders(deep, 0o700)
  makeFolders(deep, 0o700)
  expect(existsSync(join(folder, 'a', 'c'))).toBe(true)
  expect(() => makeFolders(MAIN, 0o700)).toThrow(/EEXIST/)
})
