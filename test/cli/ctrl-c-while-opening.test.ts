import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { Command, runCommand } from '../support/cli.js'
import { freshMachine } from '../support/fresh-machine.js'
import { waitFor } from '../support/wait-for.js'

const MAIN = resolve('dist/main.js')
const hasTerminals = spawnSync('script', ['--version']).status === 0

test.skipIf(!hasTerminals).each(['migrate up', 'serve', ''])(
  'Ctrl-C at the terminal of "catalyst-db %s" while the database is made leaves nothing behind',
  async (command) => {
    const { env } = freshMachine()
    const embedded = join(env.CATALYST_DATA_DIR ?? '', 'embedded')
    const line = `${process.execPath} ${MAIN} ${command}`
    const terminal = spawn('script', ['-qec', line, '/dev/null'], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    })
    let seen = ''
    terminal.stdout.on('data', (chunk) => {
      seen += chunk
    })
    await waitFor(
      () => existsSync(embedded) && readdirSync(embedded).some((name) => name.includes('.init.')),
      { timeoutMs: 60_000 },
    )
    terminal.stdin.write('\u0003')
    const [code] = await once(terminal, 'close')
    expect(code).toBe(130)
    expect(seen).toContain('catalyst-db: Interrupted.')
    expect(seen).not.toMatch(/^\s+at |initdb/m)
    // Whoever uses the services has a record, and so has a Redis that runs.
    const left = readdirSync(join(embedded, 'run')).filter((name) => /^(member|redis)/.test(name))
    expect(left).toEqual([])
    const status = await runCommand(['status', '--json'], env)
    expect(JSON.parse(status.stdout)).toMatchObject({ redis: { status: 'not running' } })
  },
)

test('a command that has opened nothing ends at once with the exit code of the signal', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void silent.close())
  await once(silent, 'listening')
  const address = silent.address()
  const port = typeof address === 'object' && address ? address.port : 0
  for (const [signal, code] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    const connected = once(silent, 'connection')
    const looking = new Command(['doctor'], { DATABASE_URL: `postgresql://u@127.0.0.1:${port}/d` })
    await connected
    looking.kill(signal)
    expect(await looking.ended).toEqual({ code, stdout: '', stderr: 'catalyst-db: Interrupted.\n' })
  }
})
