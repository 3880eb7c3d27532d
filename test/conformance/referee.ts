import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const HOME = join(import.meta.dirname, 'referee')
const MODULES = join(HOME, 'node_modules')
const PACKAGE = join(MODULES, '@modelcontextprotocol/conformance')

/** Less than its test may take, so that a test which gives up leaves no referee behind. */
const TIMEOUT_MS = 240_000

/** What the referee says about a server. */
export interface Verdict {
  readonly exitCode: number | null
  /** Scenarios that count and were not run to their end. */
  readonly missing: readonly string[]
  /** `scenario / check: reason` for each of their checks that failed, warned or were skipped. */
  readonly failures: readonly string[]
  /** How many scenarios counted and how many of their checks passed. */
  readonly scenarios: number
  readonly passed: number
}

interface Check {
  readonly id: string
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO'
  readonly errorMessage?: string
}

/**
 * Lets the referee judge the server at `url`. What one revision requires counts, and the `beyond`
 * named scenarios that the referee runs with it but does not score.
 */
export async function judge(
  url: string,
  revision: string,
  beyond: readonly string[],
): Promise<Verdict> {
  await install()
  const counted = [...(await requiredScenarios(revision)), ...beyond]
  const results = await mkdtemp(join(tmpdir(), 'catalyst-db-conformance-'))
  try {
    const exitCode = await run(['server', '--url', url, '--requirements', revision, '-o', results])
    return { exitCode, ...(await readVerdict(results, counted)) }
  } finally {
    await rm(results, { recursive: true, force: true })
  }
}

/** npm writes this file last, so an interrupted installation is not taken for a finished one. */
async function install(): Promise<void> {
  if (existsSync(join(MODULES, '.package-lock.json'))) return
  // An npm that runs the tests hands its own strictness down; see the referee's .npmrc.
  await promisify(execFile)('npm', ['ci', '--engine-strict=false'], { cwd: HOME })
}

async function run(args: readonly string[]): Promise<number | null> {
  const child = spawn(newNode(), [join(PACKAGE, 'dist/index.js'), ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    timeout: TIMEOUT_MS,
  })
  const [exitCode] = await once(child, 'exit')
  return exitCode
}

/** The referee needs Node 22; the product is tested on 20. */
function newNode(): string {
  if (Number.parseInt(process.versions.node, 10) >= 22) return process.execPath
  const system = `${process.platform}-${process.arch}`
  const found = [`node-${system}`, `node-bin-${system}`]
    .map((name) => join(MODULES, name, 'bin/node'))
    .find((path) => existsSync(path))
  if (found) return found
  throw new Error(`The referee needs Node 22 or newer; npm has none that fits ${system}.`)
}

async function requiredScenarios(revision: string): Promise<string[]> {
  const text = await readFile(join(PACKAGE, `requirements/${revision}.yaml`), 'utf8')
  const [, list = ''] = /^server:\n((?: *- \S+\n)+)/m.exec(text) ?? []
  return [...list.matchAll(/- (\S+)/g)].map(([, name = '']) => name)
}

async function readVerdict(results: string, counted: readonly string[]) {
  const folders = await readdir(results)
  const missing: string[] = []
  const checks: (Check & { scenario: string })[] = []
  for (const scenario of counted) {
    const folder = folders.find((name) => scenarioOf(name) === scenario)
    const found = folder === undefined ? [] : await readChecks(join(results, folder))
    if (found.length === 0) missing.push(scenario)
    checks.push(...found.map((check) => ({ ...check, scenario })))
  }
  return {
    missing,
    failures: checks
      .filter(({ status }) => status !== 'SUCCESS' && status !== 'INFO')
      .map(({ scenario, id, errorMessage }) => `${scenario} / ${id}: ${errorMessage}`),
    scenarios: counted.length - missing.length,
    passed: checks.filter(({ status }) => status === 'SUCCESS').length,
  }
}

/** The referee names a scenario's folder `server-<scenario>-<time>`. */
const scenarioOf = (folder: string): string =>
  folder.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT.*$/, '')

async function readChecks(folder: string): Promise<Check[]> {
  const file = join(folder, 'checks.json')
  return existsSync(file) ? JSON.parse(await readFile(file, 'utf8')) : []
}
