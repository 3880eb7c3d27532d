import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, expect, inject, onTestFinished, test } from 'vitest'
import { outline } from '../../src/cli/outline.js'
import { oneLine, shown } from '../../src/lib/terminal-text.js'
import { Command, runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { freshMachine } from '../support/fresh-machine.js'
import { waitFor } from '../support/wait-for.js'

const folder = mkdtempSync(join(tmpdir(), 'cdb-edge-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const MAIN = resolve('dist/main.js')

/** Runs a line of shell with the program as `$0`; answers what it printed. */
async function shell(line: string): Promise<string> {
  const child = spawn('bash', ['-c', line, `${process.execPath} ${MAIN}`], {
    env: { PATH: process.env.PATH, HOME: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  return text(child.stdout)
}

/** So often is a file named whose findings, a hundred at most, are to be more than a pipe holds. */
const TIMES = 8

/** A migration with many findings. */
function bigScript(): string {
  const file = join(folder, '1001_big.up.sql')
  const indexes = Array.from(
    { length: 1_500 },
    (_, index) => `create index i${index} on public.t${index} (x);`,
  )
  writeFileSync(file, indexes.join('\n'))
  return Array(TIMES).fill(file).join(' ')
}

test('output through a pipe is complete', async () => {
  const printed = await shell(`$0 migrate lint --json ${bigScript()} | cat`)
  expect(printed.length).toBeGreaterThan(200_000)
  expect(JSON.parse(printed).files).toHaveLength(TIMES)
})

test('a reader that has seen enough changes neither the exit code nor prints a failure', async () => {
  const line = `$0 migrate lint --json ${bigScript()} 2>&1 | head -1; echo "\${PIPESTATUS[0]}"`
  expect(await shell(line)).toBe('{\n7\n')
})

test.runIf(existsSync('/dev/full'))(
  'output that finds no room is told without a stack, on either stream',
  async () => {
    const env = `env CATALYST_DATA_DIR=${folder}/none`
    for (const command of ['status', 'status --json', '--help', 'config print', 'doctor --json']) {
      const told = await shell(`${env} $0 ${command} 2>&1 >/dev/full; echo "$?"`)
      expect(told, command).toContain('The output is not complete: the disk is full.')
      expect(told, command).not.toMatch(/^\s+at /m)
      expect(told, command).toMatch(/\n[14]\n$/)
    }
    expect(await shell(`${env} $0 statsu 2>/dev/full; echo "$?"`)).toBe('2\n')
    expect(await shell(`${env} $0 status >/dev/full 2>&1; echo "$?"`)).toBe('4\n')
  },
)

test('a port that is taken, and a data directory that is a file, are named with what to do', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await once(taken, 'listening')
  const address = taken.address()
  const port = typeof address === 'object' && address ? String(address.port) : ''
  const database = await createDatabase()
  const external = { DATABASE_URL: database.url, REDIS_URL: `unix://${inject('redisPath')}` }
  const served = await runCommand(['serve'], { ...external, PORT: port, LOG_LEVEL: 'silent' })
  expect(served).toMatchObject({ code: 3, stdout: '' })
  expect(served.stderr).toContain(`127.0.0.1:${port} failed: another program listens there`)
  expect(served.stderr).toContain('PORT=8643 catalyst-db serve')
  const file = join(folder, 'a-file')
  writeFileSync(file, '')
  const stored = await runCommand(['serve'], { CATALYST_DATA_DIR: file, LOG_LEVEL: 'silent' })
  expect(stored.code).toBe(3)
  expect(stored.stderr).toContain('Set CATALYST_DATA_DIR to a folder.')
  for (const { stderr } of [served, stored]) expect(stderr).not.toMatch(/^\s+at /m)
})

test('Node.js that is too old is said before anything is imported', async () => {
  const old = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'18.19.1'}})`
  const { stderr, code } = await new Promise<{ stderr: string; code: number | null }>((done) => {
    const child = spawn(process.execPath, ['--import', old, MAIN, 'status'])
    let stderr = ''
    child.stderr.on('data', (chunk) => {
      stderr += chunk
    })
    child.on('close', (code) => done({ stderr, code }))
  })
  expect(code).toBe(3)
  expect(stderr).toContain('Node.js 18.19.1 is too old')
  const { engines } = JSON.parse(readFileSync('package.json', 'utf8'))
  expect(stderr).toContain(engines.node.replace('>=', ''))
})

test('a mistyped command is answered with the nearest, and every help has an example', async () => {
  const mistyped = await runCommand(['statsu'], {})
  expect(mistyped.code).toBe(2)
  expect(mistyped.stderr).toContain('Did you mean status?')
  expect((await runCommand(['migrate', 'hsitory'], {})).stderr).toContain('Did you mean history?')
  for (const words of ['statsu --help', '--help statsu', '-h statsu', 'help statsu']) {
    const help = await runCommand(words.split(' '), {})
    expect(help, words).toMatchObject({ code: 2, stdout: '' })
    expect(help.stderr, words).toContain('Did you mean status?')
  }
  for (const words of ['migrate hsitory --help', 'help migrate hsitory', 'migrate help hsitory']) {
    const help = await runCommand(words.split(' '), {})
    expect(help, words).toMatchObject({ code: 2, stdout: '' })
    expect(help.stderr, words).toContain('Did you mean history?')
  }
  const unheardOf = await runCommand(['unheardof', '--help'], {})
  expect(unheardOf).toMatchObject({ code: 2, stdout: '' })
  expect(unheardOf.stderr).toContain("unknown command 'unheardof'")
  for (const words of ['help migrate up', 'migrate help up', 'migrate up --help']) {
    const help = await runCommand(words.split(' '), {})
    expect(help, words).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout, words).toContain('--dry-run')
  }
  const commands = [
    'serve',
    'stdio',
    'status',
    'doctor',
    'config',
    'config print',
    'audit verify',
    'maintain',
    'token create',
  ]
  const migrate = ['status', 'history', 'up', 'down', 'create', 'lint', 'baseline', 'repair']
  const backup = ['create', 'list', 'verify', 'restore', 'drill', 'discard', 'prune', 'stop']
  const all = [
    ...commands,
    ...migrate.map((name) => `migrate ${name}`),
    ...backup.map((name) => `backup ${name}`),
  ]
  for (const command of all) {
    const help = await runCommand([...command.split(' '), '--help'], {})
    expect(help, command).toMatchObject({ code: 0, stderr: '' })
    expect(help.stdout, command).toMatch(/Examples?:\n {2}\$ /)
  }
})

test('Ctrl-C while the first database is being made ends with 130 and leaves a start that works', async () => {
  const { env } = freshMachine()
  const first = new Command(['serve'], env)
  const embedded = join(env.CATALYST_DATA_DIR ?? '', 'embedded')
  const isBeingMade = () =>
    existsSync(embedded) && readdirSync(embedded).some((name) => name.includes('.init.'))
  await waitFor(isBeingMade, { timeoutMs: 60_000 })
  first.kill('SIGINT')
  const { code, stderr } = await first.ended
  expect(code).toBe(130)
  expect(stderr).not.toMatch(/^\s+at /m)
  const second = new Command(['serve'], env)
  await waitFor(() => second.stdout.includes('MCP'), { timeoutMs: 60_000 })
  second.kill('SIGTERM')
  expect((await second.ended).code).toBe(143)
})

test('migrate history shows what was done', async () => {
  const database = await createDatabase()
  const env = { DATABASE_URL: database.url }
  const { stdout, code } = await runCommand(['migrate', 'history', '--limit', '2'], env)
  expect(code).toBe(0)
  expect(stdout).toMatch(/^AT\s+VERSION\s+DIRECTION\s+NAME\s+TIME\s+BY/)
  expect(stdout.trim().split('\n')).toHaveLength(4)
  expect((await runCommand(['migrate', 'history', '--limit', '0'], env)).code).toBe(2)
})

test('config print tells where the URLs lead, and no secret', async () => {
  const { stdout } = await runCommand(['config', 'print'], {
    DATABASE_URL: 'postgresql://trader:hunter2@db.example:6543/market?sslmode=require',
    REDIS_URL: 'redis://:hunter2@cache.example:6380/2',
  })
  expect(stdout).toContain('db.example:6543/market')
  expect(stdout).toContain('cache.example:6380')
  expect(stdout).not.toContain('hunter2')
})

test('nothing that a terminal would obey reaches one', () => {
  const hostile = 'a\u001b]0;owned\u0007b\u009b31mc\u202ed\u2066e\u{e0041}f\u0000g\rh\u200bi'
  expect(shown(hostile)).toMatch(/^[\x20-\x7e]+$/)
  expect(JSON.parse(shown(JSON.stringify({ hostile })))).toEqual({ hostile })
  expect(shown('Zürich – 東京 📈\n\tplain')).toBe('Zürich – 東京 📈\n\tplain')
  expect(oneLine('first\r\n  forged line')).toBe('first forged line')
  expect(outline({ rows_lost: [{ table: 'x\ny', rows: 3 }], none: [] })).toBe(
    'rows lost:\n  - table: x y\n    rows: 3\nnone: none',
  )
})
