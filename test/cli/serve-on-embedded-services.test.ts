import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { freshMachine, serve } from '../support/fresh-machine.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

/** A process that has ended but was not reaped yet does not run. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
  return stdout.trim() !== '' && !stdout.startsWith('Z')
}

test('a fresh machine serves news, says what runs where, and a signal ends everything', async () => {
  const { env, postmaster } = freshMachine()
  const { command, client } = await serve(env)
  expect(command.stdout).toMatch(/PostgreSQL\s+embedded 18\.\d+ in /)
  expect(command.stdout).toMatch(/Cache\s+(embedded|in process)/)
  expect((await client.tool('persist_news_catalyst', article())).duplicate).toBe(false)
  expect(await client.resource('db/status')).toMatchObject({
    status: 'healthy',
    postgresql: { engine: 'embedded', status: 'up' },
  })
  const pid = postmaster()
  command.kill('SIGTERM')
  expect((await command.ended).code).toBe(143)
  expect(isRunning(pid)).toBe(false)
})

test('after kill -9 the next start recovers, and nothing that was acknowledged is lost', async () => {
  const { env } = freshMachine()
  const story = article()
  const first = await serve(env)
  const { news_id } = await first.client.tool('persist_news_catalyst', story)
  first.command.kill('SIGKILL')
  await first.command.ended
  const second = await serve(env)
  expect(await second.client.tool('persist_news_catalyst', story)).toMatchObject({
    news_id,
    duplicate: true,
  })
  second.command.kill('SIGINT')
  expect((await second.command.ended).code).toBe(130)
})

test('when PostgreSQL is killed while serving, calls say so and all is well again within 5 s', async () => {
  const { env, postmaster } = freshMachine()
  const { command, client } = await serve(env)
  const story = article()
  await client.tool('persist_news_catalyst', story)
  process.kill(postmaster(), 'SIGKILL')
  const killedAt = Date.now()
  let sawDown = false
  await waitFor(
    async () => {
      const { status, postgresql } = await client.resource('db/status')
      sawDown ||= status === 'unhealthy' && postgresql.status === 'down'
      if (postgresql.status !== 'up') {
        const error = await client.refused('persist_news_catalyst', article()).catch(() => null)
        if (error) expect(error).toMatchObject({ code: 'unavailable', retryable: true })
      }
      return sawDown && status === 'healthy'
    },
    { timeoutMs: 20_000 },
  )
  // Calls are let through again at most a second after PostgreSQL is back.
  const answer = await waitFor(
    () => client.tool('persist_news_catalyst', story).catch(() => null),
    {
      timeoutMs: 5_000,
    },
  )
  expect(Date.now() - killedAt).toBeLessThan(10_000)
  expect(answer.duplicate).toBe(true)
  expect((await client.tool('persist_news_catalyst', article())).duplicate).toBe(false)
  command.kill('SIGTERM')
  await command.ended
})

test('a second server shares the running services; the last one to leave stops them', async () => {
  const { env, postmaster } = freshMachine()
  const first = await serve(env)
  const second = await serve(env)
  expect(second.command.stdout).toContain('already running')
  const pid = postmaster()
  first.command.kill('SIGTERM')
  await first.command.ended
  expect(isRunning(pid)).toBe(true)
  expect((await second.client.tool('persist_news_catalyst', article())).duplicate).toBe(false)
  second.command.kill('SIGTERM')
  await second.command.ended
  expect(isRunning(pid)).toBe(false)
})
