import { mkdirSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { joinEmbedded } from '../../src/platform/embedded/services.js'
import { collectLog, newDataDir, ServerProcess, until } from '../support/embedded.js'

const onlyRedis = (dataDir: string, log = collectLog().log) =>
  joinEmbedded({ dataDir, postgres: false, redis: true, log })

const ask = (path: string, command: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${command}\r\n`))
    socket.on('data', (data) => {
      resolve(data.toString())
      socket.destroy()
    })
    socket.on('error', reject)
  })

const processId = async (path: string): Promise<number> =>
  Number(/process_id:(\d+)/.exec(await ask(path, 'INFO server'))?.[1])

test('starts on a private socket with bounded memory, and is stopped by the last to leave', async () => {
  const dataDir = newDataDir()
  const services = await onlyRedis(dataDir)
  const path = services.redis?.path ?? ''
  expect(services.redis?.program).toMatch(/^(valkey|redis)-server \d+\.\d+/)
  expect(services.redis?.adopted).toBe(false)
  expect(await ask(path, 'CONFIG GET maxmemory')).toContain('268435456')
  expect(await ask(path, 'CONFIG GET maxmemory-policy')).toContain('allkeys-lfu')
  expect(await ask(path, 'CONFIG GET port')).toContain('\r\n0\r\n')

  const second = await onlyRedis(dataDir)
  expect(second.redis).toMatchObject({ path, adopted: true })
  await services.release()
  expect(await ask(path, 'PING')).toBe('+PONG\r\n')
  await second.release()
  await expect(ask(path, 'PING')).rejects.toThrow()
})

test('one left by a killed server is adopted', async () => {
  const dataDir = newDataDir()
  const killed = new ServerProcess(dataDir, { postgres: false, redis: true })
  const path = (await killed.joined()).redis?.path ?? ''
  const pid = await processId(path)
  await killed.kill()
  const services = await onlyRedis(dataDir)
  expect(services.redis?.adopted).toBe(true)
  expect(await processId(path)).toBe(pid)
  await services.release()
  await expect(ask(path, 'PING')).rejects.toThrow()
})

test('one that dies is back at the same address', async () => {
  const dataDir = newDataDir()
  const { log, lines } = collectLog()
  const services = await onlyRedis(dataDir, log)
  const path = services.redis?.path ?? ''
  process.kill(await processId(path), 'SIGKILL')
  await until(() => lines.some(({ message }) => message === 'Embedded redis is back'))
  expect(await ask(path, 'PING')).toBe('+PONG\r\n')
  await services.release()
})

test('one that hangs is replaced', async () => {
  const dataDir = newDataDir()
  const first = await onlyRedis(dataDir)
  const path = first.redis?.path ?? ''
  const hung = await processId(path)
  process.kill(hung, 'SIGSTOP')
  const second = await onlyRedis(dataDir)
  expect(second.redis?.path).toBe(path)
  expect(await processId(path)).not.toBe(hung)
  await first.release()
  await second.release()
})

test('one that cannot start is none, with a warning and not an error', async () => {
  const dataDir = newDataDir()
  const bin = join(dataDir, 'bin')
  mkdirSync(bin, { recursive: true })
  writeFileSync(join(bin, 'redis-server'), '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  vi.stubEnv('PATH', `${bin}:/usr/bin:/bin`)
  const { log, lines } = collectLog()
  const services = await onlyRedis(dataDir, log)
  vi.unstubAllEnvs()
  expect(services.redis).toBeNull()
  expect(lines.map(({ level }) => level)).toEqual(['warn'])
  await services.release()
})

test('without a program on PATH there is none, but one that runs is adopted', async () => {
  const dataDir = newDataDir()
  vi.stubEnv('PATH', '/nonexistent')
  const without = await onlyRedis(dataDir)
  expect(without.redis).toBeNull()
  await without.release()
  vi.unstubAllEnvs()

  const services = await onlyRedis(dataDir)
  vi.stubEnv('PATH', '/nonexistent')
  const adopting = await onlyRedis(dataDir)
  expect(adopting.redis?.adopted).toBe(true)
  vi.unstubAllEnvs()
  await services.release()
  await adopting.release()
})
