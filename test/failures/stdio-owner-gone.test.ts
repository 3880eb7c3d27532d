import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'
import { Blocked } from '../support/blocked.js'
import { createDatabase, type TestDatabase } from '../support/database.js'
import { article } from '../support/news.js'

const MAIN = resolve(import.meta.dirname, '../../dist/main.js')

let database: TestDatabase

beforeAll(async () => {
  database = await createDatabase()
})

afterAll(() => database.drop())

/** The built command line, spoken to in lines of JSON. */
class Stdio {
  readonly child: ChildProcessByStdio<Writable, Readable, null>
  #id = 0

  constructor() {
    this.child = spawn(process.execPath, [MAIN], {
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: database.url,
        REDIS_URL: `unix://${inject('redisPath')}`,
      },
    })
    onTestFinished(() => void this.child.kill('SIGKILL'))
  }

  async open(): Promise<void> {
    const clientInfo = { name: 'test', version: '0' }
    this.send('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo })
    await once(this.child.stdout, 'data')
    this.notify('notifications/initialized', {})
  }

  send(method: string, params: unknown): void {
    this.#write({ id: this.#id++, method, params })
  }

  notify(method: string, params: unknown): void {
    this.#write({ method, params })
  }

  #write(message: object): void {
    this.child.stdin.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`)
  }
}

test.each([
  ['closes its end', (stdio: Stdio) => stdio.child.stdin.end(), 0],
  ['kills the server', (stdio: Stdio) => stdio.child.kill('SIGTERM'), 143],
] as const)('a client that %s leaves no statement running', async (_, leave, code) => {
  const stdio = new Stdio()
  await stdio.open()
  const blocked = await Blocked.articles(database.url)
  try {
    stdio.send('tools/call', { name: 'persist_news_catalyst', arguments: article() })
    await blocked.hasWaiters()
    const exited = once(stdio.child, 'exit')
    leave(stdio)
    await blocked.isQuiet()
    expect((await exited)[0]).toBe(code)
  } finally {
    await blocked.release()
  }
})

test('a cancelled call stops in PostgreSQL', async () => {
  const stdio = new Stdio()
  await stdio.open()
  const blocked = await Blocked.articles(database.url)
  try {
    stdio.send('tools/call', { name: 'persist_news_catalyst', arguments: article() })
    await blocked.hasWaiters()
    stdio.notify('notifications/cancelled', { requestId: 1 })
    await blocked.isQuiet()
  } finally {
    await blocked.release()
  }
})
