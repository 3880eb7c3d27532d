import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { prepareHome } from '../../src/platform/embedded/home.js'
import { withTransitionLock } from '../../src/platform/embedded/transition-lock.js'
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
  expect(command.stdout).toMatch(/PostgreSQL\s+embedded \d+\.\d+ in /)
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

test('when PostgreSQL is killed while serving, calls say so and all is well again by itself', async () => {
  const { env, postmaster } = freshMachine()
  const { command, client } = await serve(env)
  const story = article()
  await client.tool('persist_news_catalyst', story)
  const { run } = prepareHome(join(env.CATALYST_DATA_DIR ?? '', 'embedded'))
  // The server cannot bring it back before all was seen.
  await withTransitionLock(run, async () => {
    process.kill(postmaster(), 'SIGKILL')
    await waitFor(async () => {
      const { status, postgresql } = await client.resource('db/status')
      return status === 'unhealthy' && postgresql.status === 'down'
    })
    const refused = await client.refused('persist_news_catalyst', article())
    expect(refused).toMatchObject({ code: 'unavailable', retryable: true })
  })
  await waitFor(async () => (await client.resource('db/status')).status === 'healthy')
  const answer = await waitFor(() => client.tool('persist_news_catalyst', story).catch(() => null))
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
