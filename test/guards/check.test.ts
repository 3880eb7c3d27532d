import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { countLine, countStep, countTests, slowest } from '../../scripts/check/count.mjs'
import { NEEDED, planProgram } from '../../scripts/check/programs.mjs'

const DEBIAN = 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'
const UBUNTU = 'ID=ubuntu\nID_LIKE=debian\n'
const FEDORA = 'NAME="Fedora Linux"\nID=fedora\n'
const ROCKY = 'ID="rocky"\nID_LIKE="rhel centos fedora"\n'

const machine = { path: '', platform: 'linux' as const, isRoot: false, osRelease: '' }

const { redis, pgbouncer, s3, browser } = NEEDED

/** A folder with one program in it, as PATH would name it. */
function folderWith(program: string, mode = 0o755): string {
  const folder = mkdtempSync(join(tmpdir(), 'catalyst-db-path-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, program), '')
  chmodSync(join(folder, program), mode)
  return folder
}

test('a Redis on PATH is used, a Valkey first', () => {
  const folder = folderWith('redis-server')
  expect(planProgram({ ...machine, path: `/nowhere:${folder}` }, redis)).toEqual({
    kind: 'present',
    program: join(folder, 'redis-server'),
  })
  const valkey = folderWith('valkey-server')
  expect(planProgram({ ...machine, path: `${folder}:${valkey}` }, redis)).toMatchObject({
    program: join(valkey, 'valkey-server'),
  })
})

test('a file that cannot be executed is not a Redis', () => {
  const path = folderWith('redis-server', 0o644)
  expect(planProgram({ ...machine, path }, redis)).toMatchObject({ kind: 'ask' })
})

test('a PgBouncer on PATH is used', () => {
  const folder = folderWith('pgbouncer')
  expect(planProgram({ ...machine, path: folder }, pgbouncer)).toEqual({
    kind: 'present',
    program: join(folder, 'pgbouncer'),
  })
})

test.each([DEBIAN, UBUNTU])('root on Debian or Ubuntu installs both', (osRelease) => {
  for (const [needed, name] of [
    [redis, 'redis-server'],
    [pgbouncer, 'pgbouncer'],
  ] as const) {
    expect(planProgram({ ...machine, isRoot: true, osRelease }, needed)).toEqual({
      kind: 'install',
      command: `apt-get update && apt-get install -y --no-install-recommends ${name}`,
    })
  }
})

test.each([
  [
    'Debian without root',
    { osRelease: DEBIAN },
    /^Run: sudo apt-get update && sudo apt-get install .* (redis-server|pgbouncer)$/m,
  ],
  ['Fedora', { osRelease: FEDORA, isRoot: true }, /^Run: sudo dnf install -y (valkey|pgbouncer)$/m],
  ['a relative of Fedora', { osRelease: ROCKY }, /^Run: sudo dnf install/m],
  ['macOS', { platform: 'darwin' as const }, /^Run: brew install (redis|pgbouncer)$/m],
  [
    'another Linux',
    { osRelease: 'ID=alpine\n', isRoot: true },
    /Debian, Ubuntu: .*\n.*dnf.*\n.*brew/,
  ],
])('%s is told the exact command', (_, differences, command) => {
  for (const needed of [redis, pgbouncer]) {
    expect(planProgram({ ...machine, ...differences }, needed)).toMatchObject({
      kind: 'ask',
      message: expect.stringMatching(command),
    })
  }
})

test('an S3 server is installed or asked for on Debian, and done without elsewhere', () => {
  const packages = 'swift-proxy swift-account swift-container swift-object'
  expect(planProgram({ ...machine, isRoot: true, osRelease: DEBIAN }, s3)).toEqual({
    kind: 'install',
    command: `apt-get update && apt-get install -y --no-install-recommends ${packages}`,
  })
  expect(planProgram({ ...machine, osRelease: DEBIAN }, s3)).toMatchObject({
    kind: 'ask',
    message: expect.stringContaining(`sudo apt-get install -y --no-install-recommends ${packages}`),
  })
  for (const osRelease of [FEDORA, 'ID=alpine\n']) {
    expect(planProgram({ ...machine, osRelease }, s3)).toMatchObject({ kind: 'without' })
  }
})

test('a Chromium is installed or asked for on Debian; elsewhere it is said that its tests are left out', () => {
  expect(planProgram({ ...machine, isRoot: true, osRelease: DEBIAN }, browser)).toMatchObject({
    kind: 'install',
    command: expect.stringMatching(/ chromium$/),
  })
  expect(planProgram({ ...machine, path: folderWith('google-chrome') }, browser)).toMatchObject({
    kind: 'present',
  })
  expect(planProgram({ ...machine, osRelease: 'ID=alpine\n' }, browser)).toEqual({
    kind: 'without',
    message: 'no package of this system brings Chromium: its tests are left out',
  })
})

test.each([
  ['a good run', { numPassedTests: 7, numFailedTests: 0 }, 0, { passed: 7, failed: 0 }],
  ['failed tests', { numPassedTests: 7, numFailedTests: 2 }, 1, { passed: 7, failed: 2 }],
  [
    'a file that does not load',
    { numPassedTests: 7, numFailedTests: 0 },
    1,
    { passed: 7, failed: 1 },
  ],
  ['no tests at all', { numPassedTests: 0, numFailedTests: 0 }, 0, { passed: 0, failed: 1 }],
  ['no report', null, 1, { passed: 0, failed: 1 }],
])('%s is counted', (_, report, exitCode, count) => {
  expect(countTests(report, exitCode)).toEqual(count)
})

test('the last line adds the steps up', () => {
  expect(countLine([countStep(0), countStep(2), { passed: 40, failed: 1 }])).toBe(
    '41 passed, 2 failed',
  )
})

test('the ten slowest files are named, the slowest first', () => {
  const testResults = Array.from({ length: 12 }, (_, n) => ({
    name: `/home/test/${n}.test.ts`,
    startTime: 1_000,
    endTime: 1_000 + n * 500,
  }))
  const lines = slowest({ testResults }, '/home/')
  expect(lines).toHaveLength(10)
  expect(lines[0]).toBe('    5.5 s  test/11.test.ts')
})
