import { expect } from 'vitest'
import type { TestClient } from './app.js'
import { type CommandResult, runCommand } from './cli.js'
import { article } from './news.js'
import { waitFor } from './wait-for.js'

/** A server that is asked. */
interface Served {
  readonly url: string
  connect(): Promise<TestClient>
}

/** What `/readyz` answers. */
export async function readiness(served: Served) {
  const answer = await fetch(served.url.replace(/\/mcp$/, '/readyz'))
  const { ready, reason } = Object(await answer.json())
  return { status: answer.status, ready, reason }
}

/** Everything that tells of the database says that it cannot be used, why, and what to do. */
export async function expectUnusable(served: Served, cause: RegExp, fix: RegExp): Promise<void> {
  const client = await served.connect()
  const status = await client.resource('db/status')
  expect(status.status).toBe('unhealthy')
  expect(status.reasons[0]).toMatch(cause)
  expect(status.reasons[0]).toMatch(fix)
  expect(await readiness(served)).toMatchObject({
    status: 503,
    ready: false,
    reason: expect.stringMatching(cause),
  })
}

/** A call is refused for now, with the cause. */
export async function expectRefused(served: Served, cause: RegExp): Promise<void> {
  const client = await served.connect()
  // The first ones may still meet what it said on its way down.
  await waitFor(async () => {
    const refusal = await client.refused('persist_news_catalyst', article())
    expect(refusal).toMatchObject({ code: 'unavailable', retryable: true })
    return cause.test(refusal.message)
  })
}

/** Every command that needs the database ends with 4, and says why and what to do. */
export async function expectCommandsToSay(
  env: Record<string, string>,
  cause: RegExp,
  fix: RegExp,
  commands = [['status'], ['doctor'], ['migrate', 'status']],
): Promise<void> {
  for (const args of commands) {
    const { code, stdout, stderr } = await runPatiently(args, env, cause)
    const said = stdout + stderr
    expect(said).toMatch(cause)
    expect(said).toMatch(fix)
    expect(said).not.toMatch(/\n\s+at |hunter2/)
    expect(code).toBe(4)
  }
}

/** Runs a command again whose machine was too busy to be answered in time by a PostgreSQL that answers. */
export async function runPatiently(
  args: readonly string[],
  env: Record<string, string>,
  expected?: RegExp,
): Promise<CommandResult> {
  for (let attempt = 1; ; attempt++) {
    const result = await runCommand(args, env)
    const said = result.stdout + result.stderr
    const isLate = /PostgreSQL does not answer/.test(said) && expected?.test(said) !== true
    if (!isLate || attempt === ATTEMPTS) return result
  }
}

const ATTEMPTS = 5
