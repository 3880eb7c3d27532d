import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
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
import ts from 'typescript'
import { afterAll, inject } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')

/** Starts the jobs it is told to, and runs them for ever. */
const MAIN = `
import { openApp } from './src/app.js'
import { loadConfig } from './src/config.js'
import { createLog } from './src/platform/log.js'
import { Bench, benchPart } from './test/jobs/bench.js'
const app = await openApp(loadConfig(process.env), createLog('silent'), [benchPart(new Bench())])
const { registry, jobs } = app.serving
for (const [tool, args] of JSON.parse(process.argv[2])) {
  const caller = { principal: 'local', owner: 'local', requestId: '', signal: new AbortController().signal }
  await jobs.start(registry.jobRequest(registry.tools.get(tool), args), caller)
}
`

/** A server in a process of its own, which can be killed. */
export class ChildServer {
  readonly #child: ChildProcess

  constructor(databaseUrl: string, jobs: readonly (readonly [tool: string, args: object])[]) {
    const build = compile()
    this.#child = spawn(process.execPath, [join(build, 'main.mjs'), JSON.stringify(jobs)], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        PATH: process.env.PATH,
        DATABASE_URL: databaseUrl,
        REDIS_URL: `unix://${inject('redisPath')}`,
      },
    })
    afterAll(() => {
      this.#child.kill('SIGKILL')
      rmSync(build, { recursive: true, force: true })
    })
  }

  /** Ends it without any chance to tidy up. */
  async kill(): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}

/** Compiles file by file and unchecked: `tsc` of all takes seconds. */
function compile(): string {
  const build = mkdtempSync(join(tmpdir(), 'catalyst-db-child-'))
  const sources = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => join('src', path))
  for (const source of [...sources, 'test/jobs/bench.ts']) {
    const { outputText } = ts.transpileModule(readFileSync(join(ROOT, source), 'utf8'), {
      compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
    })
    const target = join(build, source.replace(/\.ts$/, '.js'))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, outputText)
  }
  for (const name of ['node_modules', 'migrations', 'package.json']) {
    symlinkSync(join(ROOT, name), join(build, name))
  }
  writeFileSync(join(build, 'main.mjs'), MAIN)
  return build
}
