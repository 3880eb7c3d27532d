import { readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { withTransitionLock } from '../../src/platform/embedded/transition-lock.js'
import { LockContender } from '../support/embedded.js'

let directory: string
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'emb-lock-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

test('processes exclude each other, also when some are killed while they hold the lock', async () => {
  const counter = join(directory, 'counter')
  writeFileSync(counter, '0')
  const contenders = [1, 2, 3, 4].map(() => new LockContender(directory, counter, 60))
  const victims = [1, 2, 3].map(() => new LockContender(directory, counter, 0))
  await Promise.all(victims.map((victim) => victim.holds().then(() => victim.kill())))
  await Promise.all(contenders.map((contender) => contender.ended()))
  expect(readFileSync(counter, 'utf8')).toBe('240')
  expect(readdirSync(directory).filter((name) => name.startsWith('lock.'))).toHaveLength(1)
})

test('a lock whose owner no longer runs delays nobody', async () => {
  symlinkSync('1@another-start-time', join(directory, 'lock.41'))
  let hasWaited = false
  setImmediate(() => {
    hasWaited = true
  })
  await withTransitionLock(directory, async () => {
    expect({ hasWaited, records: readdirSync(directory) }).toEqual({
      hasWaited: false,
      records: ['lock.42'],
    })
  })
})

test('a failed task gives the lock back', async () => {
  const failing = withTransitionLock(directory, () => Promise.reject(new Error('no')))
  await expect(failing).rejects.toThrow('no')
  await expect(withTransitionLock(directory, async () => 'in')).resolves.toBe('in')
})

test('waiting ends when it is aborted', async () => {
  const abort = new AbortController()
  await withTransitionLock(directory, async () => {
    const waiting = withTransitionLock(directory, async () => 'in', abort.signal)
    abort.abort()
    await expect(waiting).rejects.toThrow('aborted')
  })
})
