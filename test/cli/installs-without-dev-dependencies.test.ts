import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const NOT_COPIED = new Set([
  '.git',
  '.test-output',
  'bench',
  'dist',
  'docs',
  'node_modules',
  'test',
])
const parent = mkdtempSync(join(tmpdir(), 'cdb-install-'))
afterAll(() => rmSync(parent, { recursive: true, force: true }))

const clean = { PATH: process.env.PATH, HOME: process.env.HOME }
const execute = promisify(execFile)
const run = (program: string, args: readonly string[]) => execute(program, args, { env: clean })
const npm = (cwd: string, args: readonly string[], env: Record<string, string> = {}) =>
  execute('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], {
    cwd,
    env: { ...clean, ...env },
  })
const installed = async (folder: string): Promise<string> => {
  const { stdout } = await run(process.execPath, [join(folder, 'dist/main.js'), 'config', 'print'])
  return stdout
}

function copyOfTheSources(): string {
  const folder = join(parent, 'sources')
  mkdirSync(folder)
  for (const name of readdirSync(ROOT)) {
    if (!NOT_COPIED.has(name)) cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  return folder
}

test('npm ci without development dependencies builds a program that runs', async () => {
  const sources = copyOfTheSources()
  await npm(sources, ['ci'], { NODE_ENV: 'production' })
  expect(readdirSync(join(sources, 'node_modules'))).not.toContain('typescript')
  expect(await installed(sources)).toContain('DATABASE_URL')
  // Every file that is not TypeScript is carried over as well.
  const sql = join(sources, 'dist/platform/sql-parser/parse-worker.mjs')
  await run(process.execPath, ['--check', sql])
}, 300_000)

test('npm ci in the unpacked release gives a program that runs', async () => {
  const { stdout } = await npm(ROOT, [
    'pack',
    '--ignore-scripts',
    '--json',
    '--pack-destination',
    parent,
  ])
  const [{ filename }] = JSON.parse(stdout)
  await run('tar', ['xzf', join(parent, filename), '-C', parent])
  const release = join(parent, 'package')
  await npm(release, ['ci', '--omit=dev'])
  expect(await installed(release)).toContain('DATABASE_URL')
}, 300_000)
