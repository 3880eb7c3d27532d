import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { defaultPolicy, policyDocs } from '../../src/policy.js'
import { runCommand } from '../support/cli.js'

const folder = mkdtempSync(join(tmpdir(), 'catalyst-policy-'))
afterAll(() => rmSync(folder, { recursive: true }))

function policyFile(name: string, content: string) {
  const path = join(folder, name)
  writeFileSync(path, content)
  return { CATALYST_POLICY_FILE: path }
}

test.each([
  ['policy.toml', '# cautious\n[risk]\nmax_open_positions = 2\n'],
  ['policy.json', '{"risk": {"max_open_positions": 2}}'],
])('%s changes what it names; the rest keeps its default', async (name, content) => {
  const printed = await runCommand(['config', 'print', '--json'], policyFile(name, content))
  expect(printed.code).toBe(0)
  const { risk } = defaultPolicy()
  expect(JSON.parse(printed.stdout).policy.risk).toEqual({ ...risk, max_open_positions: 2 })
})

test('every entry is shown with the value in force', async () => {
  const { stdout } = await runCommand(['config', 'print'], {})
  for (const { name, default: value } of policyDocs()) {
    expect(stdout).toMatch(new RegExp(`^${name.replace('.', '\\.')} +${value} *$`, 'm'))
  }
})

test('a wrong entry is named and nothing starts', async () => {
  const env = policyFile(
    'wrong.toml',
    '[risk]\nmax_open_position = 2\nconfidence_full = 70\n[magic]\nx = 1\n',
  )
  const refused = await runCommand(['serve'], env)
  expect(refused.code).toBe(3)
  expect(refused.stderr).toContain('max_open_position')
  expect(refused.stderr).toContain('risk.confidence_full')
  expect(refused.stderr).toContain('magic')
})

test.each([
  ['confidence_half = 0.9', 'confidence_quarter, confidence_half and confidence_full'],
  ['min_price = 600', 'min_price must not be above max_price'],
  ['target_1_atr = 5', 'target_1_atr must not be above target_2_atr'],
  ['target_2_atr = 2.5', 'the first target is the nearer one'],
])('limits that contradict each other are refused: %s', async (entry, message) => {
  const refused = await runCommand(['status'], policyFile('limits.toml', `[risk]\n${entry}\n`))
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining(message)])
})

test('a file that cannot be read or parsed is refused, without its content', async () => {
  const missing = await runCommand(['status'], { CATALYST_POLICY_FILE: join(folder, 'none.toml') })
  expect([missing.code, missing.stderr]).toEqual([3, expect.stringContaining('cannot be read')])
  const broken = await runCommand(['status'], policyFile('broken.toml', 'risk = [hunter2'))
  expect([broken.code, broken.stderr]).toEqual([3, expect.stringContaining('not valid TOML')])
  expect(broken.stderr).not.toContain('hunter2')
})
