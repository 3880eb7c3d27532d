import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, expect, test } from 'vitest'
import {
  commandLine,
  formatIdentity,
  identify,
  isRunning,
  parseIdentity,
  programName,
} from '../../src/platform/embedded/process-identity.js'

const platform = process.platform
const pretend = (name: string) => Object.defineProperty(process, 'platform', { value: name })
afterEach(() => {
  pretend(platform)
})

// Without /proc the identity comes from ps(1), which every platform has.
test.each([platform, 'darwin'])('a process is known by pid and start time (%s)', async (name) => {
  pretend(name)
  const child = spawn('sleep', ['1000'])
  await once(child, 'spawn')
  const known = identify(child.pid ?? 0)
  if (!known) throw new Error('not identified')

  expect(parseIdentity(formatIdentity(known))).toEqual(known)
  expect(isRunning(known)).toBe(true)
  expect(isRunning({ ...known, started: 'another-time' })).toBe(false)
  expect(programName(known.pid)).toBe('sleep')
  expect(commandLine(known.pid).trim()).toBe('sleep 1000')

  child.kill()
  await once(child, 'exit')
  expect(isRunning(known)).toBe(false)
  expect(commandLine(known.pid)).toBe('')
})

test('a zombie does not count as running', async () => {
  // The shell does not wait for its child; its own child reports its pid and ends.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 1000'])
  const [output] = await once(parent.stdout, 'data')
  await expect.poll(() => identify(Number(output)), { timeout: 60_000 }).toBeNull()
  expect(process.kill(Number(output), 0)).toBe(true)
  parent.kill()
})
