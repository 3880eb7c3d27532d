import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import pg from 'pg'
import ts from 'typescript'
import { inject, onTestFinished, vi } from 'vitest'
import { type Home, prepareHome } from '../../src/platform/embedded/home.js'
import { PostgresProcess } from '../../src/platform/embedded/postgres-process.js'
import { findPostmaster } from '../../src/platform/embedded/postmaster.js'
import { RedisProcess } from '../../src/platform/embedded/redis-process.js'
import { joinEmbedded } from '../../src/platform/embedded/services.js'

const ROOT = resolve(import.meta.dirname, '../..')

/** What `joinEmbedded` reported. */
interface Line {
  readonly level: string
  readonly message: string
  readonly details: object
}

/** Collects what the services report. */
export function collectLog() {
  const lines: Line[] = []
  const log = (level: string, message: string, details: object = {}): void => {
    lines.push({ level, message, details })
  }
  return { lines, log }
}

/** A data directory of this test; whatever still runs in it afterwards is stopped. */
export function newDataDir(name = 'data'): string {
  const parent = mkdtempSync(join(tmpdir(), 'emb-'))
  chmodSync(parent, 0o755)
  const dataDir = join(parent, name)
  onTestFinished(async () => {
    const home = prepareHome(dataDir)
    await new PostgresProcess(home, () => {}).stop()
    await new RedisProcess(home).stop()
    rmSync(parent, { recursive: true, force: true })
    if (home.sockets !== home.run) rmSync(home.sockets, { recursive: true, force: true })
  })
  return dataDir
}

let template: Promise<string> | undefined

/** A data directory whose database exists already: a copy of one made once per process. */
export async function usedDataDir(): Promise<string> {
  template ??= makeTemplate()
  const dataDir = newDataDir()
  cpSync(await template, dataDir, { recursive: true })
  return dataDir
}

async function makeTemplate(): Promise<string> {
  const dataDir = mkdtempSync(join(inject('scratch'), 'template-'))
  const services = await joinEmbedded({ dataDir, postgres: true, redis: false, log: () => {} })
  await services.release()
  return dataDir
}

/** The postmaster of a data directory, if one runs. */
export const postmasterOf = (dataDir: string) => findPostmaster(homeOf(dataDir).cluster)

/** The directories of a data directory. */
export const homeOf = (dataDir: string): Home => prepareHome(dataDir)

/** Polls until the condition holds. */
export const until = (condition: () => unknown): Promise<unknown> =>
  vi.waitFor(
    async () => {
      if (!(await condition())) throw new Error(`not yet: ${condition}`)
    },
    { timeout: 60_000, interval: 5 },
  )

/** Runs one statement on a connection of its own. */
export async function query(connectionString: string, text: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString, connectionTimeoutMillis: 5_000 })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query(text)).rows
  } finally {
    await client.end().catch(() => {})
  }
}

/** What `new ServerProcess` answers once it has joined. */
export interface Joined {
  readonly postgres: { readonly connectionString: string; readonly adopted: boolean } | null
  readonly redis: { readonly path: string; readonly adopted: boolean } | null
}

interface ServerOptions {
  readonly postgres?: boolean
  readonly redis?: boolean
  readonly uid?: number
  readonly gid?: number
  readonly path?: string
  /** Where the compiled code is; it decides which node_modules are used. */
  readonly build?: string
}

/** A server in a process of its own, for what happens between processes. */
export class ServerProcess {
  readonly child: ChildProcess
  readonly #answers: AsyncIterator<string>

  constructor(dataDir: string, options: ServerOptions = {}) {
    const { postgres = true, redis = false, uid, gid, path, build = sharedBuild() } = options
    this.child = spawn(
      process.execPath,
      [join(build, 'server.mjs'), JSON.stringify({ dataDir, postgres, redis })],
      {
        stdio: ['pipe', 'pipe', 'inherit'],
        env: { ...process.env, PATH: path ?? process.env.PATH },
        cwd: '/',
        ...(uid === undefined ? {} : { uid }),
        ...(gid === undefined ? {} : { gid }),
      },
    )
    onTestFinished(() => void this.child.kill('SIGKILL'))
    if (!this.child.stdout) throw new Error('no stdout')
    this.#answers = createInterface(this.child.stdout)[Symbol.asyncIterator]()
  }

  /** Waits until it has joined. */
  async joined(): Promise<Joined> {
    const { value } = await this.#answers.next()
    const answer = JSON.parse(value ?? '{"error":"ended without an answer"}')
    if (answer.error) throw new Error(answer.error)
    return answer
  }

  /** Leaves and ends. */
  async release(): Promise<void> {
    this.child.stdin?.end()
    if (this.child.exitCode === null) await once(this.child, 'exit')
    if (this.child.exitCode !== 0) throw new Error(`exit ${this.child.exitCode}`)
  }

  /** Ends without any chance to tidy up. */
  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    if (this.child.signalCode === null) await once(this.child, 'exit')
  }
}

const SERVER = `
import { joinEmbedded } from './src/platform/embedded/services.js'
const say = (answer) => process.stdout.write(JSON.stringify(answer) + '\\n')
try {
  const options = JSON.parse(process.argv[2])
  const services = await joinEmbedded({ ...options, log: () => {} })
  say({ postgres: services.postgres, redis: services.redis })
  process.stdin.resume().on('end', () => services.release().then(() => process.exit(0), fail))
} catch (error) {
  fail(error)
}
function fail(error) {
  say({ error: [error.code, error.message, error.hint].join(': ') })
  process.exit(1)
}
`

/** Counts up in a file, reading and writing as far apart as the lock allows; 0 times: holds it for ever. */
export class LockContender {
  readonly #child: ChildProcess

  constructor(directory: string, counter: string, times: number) {
    const script = join(sharedBuild(), 'contender.mjs')
    this.#child = spawn(process.execPath, [script, directory, counter, String(times)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    onTestFinished(() => this.kill())
  }

  /** Waits until it holds the lock. */
  async holds(): Promise<void> {
    if (this.#child.stdout) await once(this.#child.stdout, 'data')
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }

  async ended(): Promise<void> {
    if (this.#child.exitCode === null) await once(this.#child, 'exit')
  }
}

const CONTENDER = `
import { readFileSync, writeFileSync } from 'node:fs'
import { withTransitionLock } from './src/platform/embedded/transition-lock.js'
const [directory, counter, times] = process.argv.slice(2)
for (let n = 0; n < Number(times); n++) {
  await withTransitionLock(directory, async () => {
    const value = Number(readFileSync(counter, 'utf8'))
    await new Promise((resolve) => setImmediate(resolve))
    writeFileSync(counter, String(value + 1))
  })
}
if (times === '0') {
  await withTransitionLock(directory, () => new Promise(() => {
    process.stdout.write('held')
    setInterval(() => {}, 1000)
  }))
}
`

let built: string | undefined
function sharedBuild(): string {
  built ??= buildServer()
  return built
}

/** Compiles what a server process needs, file by file and unchecked: `tsc` of all takes seconds. */
export function buildServer(modules: string = join(ROOT, 'node_modules')): string {
  const build = mkdtempSync(join(inject('scratch'), 'build-'))
  chmodSync(build, 0o755)
  const folder = 'src/platform/embedded'
  const sources = readdirSync(join(ROOT, folder)).map((name) => join(folder, name))
  for (const source of [
    ...sources,
    'src/errors.ts',
    'src/lib/folders.ts',
    'src/lib/system-error.ts',
  ]) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, source), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    })
    const target = join(build, source.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, outputText)
  }
  writeFileSync(join(build, 'package.json'), '{"type":"module"}')
  writeFileSync(join(build, 'server.mjs'), SERVER)
  writeFileSync(join(build, 'contender.mjs'), CONTENDER)
  symlinkSync(modules, join(build, 'node_modules'))
  return build
}
