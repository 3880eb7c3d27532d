// @ts-check
/** Everything that must hold before a commit. Runs every step, whatever fails, and counts. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { countLine, countStep, countTests, slowest } from './check/count.mjs'
import { NEEDED, planProgram } from './check/programs.mjs'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
/** Ignored by git. */
const OUTPUT = '.test-output'
const POLICY = '/usr/sbin/policy-rc.d'

const env = {
  ...process.env,
  PATH: join(ROOT, 'node_modules/.bin') + delimiter + (process.env.PATH ?? ''),
}

process.chdir(ROOT)
mkdirSync(OUTPUT, { recursive: true })
const counts = [
  await step('lint and format', 'biome ci .'),
  await step('types', 'tsc --noEmit'),
  await step('types of the page', 'tsc --noEmit -p page'),
  await step('layers', 'npm run --silent layers'),
  await step('unused code', 'knip'),
  await step('build', 'npm run --silent build'),
  await step('generated docs', 'node scripts/docs.mjs --check'),
  ...Object.values(NEEDED).map(provide),
  await tests('tests', 'vitest run'),
  await tests('conformance', 'npm run --silent conformance --'),
]
console.log(`\n${countLine(counts)}`)
process.exitCode = counts.every(({ failed }) => failed === 0) ? 0 : 1

/** @type {(name: string, command: string) => Promise<import('./check/count.mjs').Count>} */
async function step(name, command) {
  return countStep(await run(name, command))
}

/** @type {(name: string, command: string) => Promise<import('./check/count.mjs').Count>} */
async function tests(name, command) {
  const file = join(OUTPUT, `${name}.json`)
  rmSync(file, { force: true })
  const reporters = `--reporter=default --reporter=json --outputFile.json=${file}`
  const exitCode = await run(name, `${command} ${reporters}`)
  const report = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : null
  if (report) console.log(['The slowest files:', ...slowest(report, ROOT)].join('\n'))
  return countTests(report, exitCode)
}

/** @type {(name: string, command: string) => Promise<number>} */
function run(name, command) {
  console.log(`\n--- ${name}`)
  const started = performance.now()
  const [program = '', ...args] = command.split(' ')
  const child = spawn(program, args, { env, stdio: 'inherit' })
  return new Promise((resolve) => {
    const ended = (/** @type {number} */ exitCode) => {
      const seconds = ((performance.now() - started) / 1_000).toFixed(1)
      console.log(`--- ${name}: ${exitCode === 0 ? 'passed' : 'FAILED'} in ${seconds} s`)
      resolve(exitCode)
    }
    child.once('error', (error) => {
      console.error(error.message)
      ended(1)
    })
    child.once('exit', (code) => ended(code ?? 1))
  })
}

/**
 * The tests run on real servers; where this machine lets us, they are installed.
 *
 * @type {(needed: import('./check/programs.mjs').Needed) => import('./check/count.mjs').Count}
 */
function provide(needed) {
  const name = needed.title
  console.log(`\n--- ${name}`)
  const osRelease = '/etc/os-release'
  const machine = {
    // Debian puts servers where only root has them on PATH.
    path: `${process.env.PATH ?? ''}${delimiter}/usr/sbin`,
    platform: process.platform,
    isRoot: process.getuid?.() === 0,
    osRelease: existsSync(osRelease) ? readFileSync(osRelease, 'utf8') : '',
  }
  const before = planProgram(machine, needed)
  if (before.kind === 'install') install(before.command)
  const plan = planProgram(machine, needed)
  if (plan.kind === 'present') console.log(`--- ${name}: passed, ${plan.program}`)
  else if (plan.kind === 'without') console.log(`--- ${name}: passed, ${plan.message}`)
  else console.log(`--- ${name}: FAILED\n${plan.kind === 'ask' ? plan.message : 'apt-get failed'}`)
  return countStep(plan.kind === 'present' || plan.kind === 'without' ? 0 : 1)
}

/**
 * Debian starts the service of a package it installs unless this file says no.
 *
 * @type {(command: string) => void}
 */
function install(command) {
  const isOurs = !existsSync(POLICY)
  if (isOurs) writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    spawnSync('sh', ['-c', command], {
      stdio: 'inherit',
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    })
  } finally {
    if (isOurs) rmSync(POLICY)
  }
}
