import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../support/wait-for.js'

const SCRIPT = fileURLToPath(new URL('../../scripts/simulate.mjs', import.meta.url))

/** A simulation whose temporary files lie in a folder of the test's own, once it serves. */
async function started(): Promise<{ child: ChildProcess; folder: string; postmaster: number }> {
  const folder = mkdtempSync(join(tmpdir(), 'cdb-'))
  const child = spawn(process.execPath, [SCRIPT, '--size', 'small'], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  onTestFinished(async () => {
    child.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true, force: true })
  })
  let printed = ''
  child.stderr?.on('data', (chunk) => {
    printed += chunk
  })
  await waitFor(() => printed.includes('month 1'), { timeoutMs: 120_000, what: printed })
  const [data = ''] = readdirSync(folder)
  const pidFile = join(folder, data, 'data/embedded/postgres/postmaster.pid')
  return { child, folder, postmaster: Number(readFileSync(pidFile, 'utf8').split('\n')[0]) }
}

const isRunning = (pid: number): boolean => {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

test('interrupted in the middle it stops its services and removes its data', async () => {
  const { child, folder, postmaster } = await started()
  expect(isRunning(postmaster)).toBe(true)
  child.kill('SIGINT')
  expect(await once(child, 'exit')).toEqual([130, null])
  expect(isRunning(postmaster)).toBe(false)
  expect(readdirSync(folder)).toEqual([])
}, 240_000)

test('when its server is killed it fails, and leaves nothing behind all the same', async () => {
  const { child, folder, postmaster } = await started()
  const server = execFileSync('ps', ['-o', 'pid=', '--ppid', String(child.pid)], {
    encoding: 'utf8',
  })
  process.kill(Number(server.trim().split(/\s+/)[0]), 'SIGKILL')
  const [code] = await once(child, 'exit')
  expect(code).toBe(1)
  expect(isRunning(postmaster)).toBe(false)
  expect(readdirSync(folder)).toEqual([])
}, 240_000)

test.each([['--size', 'medium'], ['--fills', 'many'], ['--until', '2999-01-01'], ['--unknown']])(
  '%s %s is refused before anything is started',
  (...args) => {
    const { status, stderr } = spawnSync(process.execPath, [SCRIPT, ...args], { encoding: 'utf8' })
    expect(status).toBe(2)
    expect(stderr).toContain('npm run simulate')
  },
)
