import { execFileSync, spawnSync } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join, posix, resolve } from 'node:path'
import { afterAll, expect, test } from 'vitest'

const ROOT = resolve(import.meta.dirname, '../..')
const DEPCRUISE = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs')
const BIOME = join(ROOT, 'node_modules/@biomejs/biome/bin/biome')

type Kind = 'value' | 'type'

/** One forbidden import for each rule, and for each way around it. */
const FORBIDDEN: readonly [rule: string, from: string, to: string, kind?: Kind][] = [
  ['no-cycles', 'src/lib/cycle-a.ts', 'src/lib/cycle-b.ts'],
  ['no-cycles', 'src/lib/type-cycle-a.ts', 'src/lib/type-cycle-b.ts', 'type'],
  ['no-unresolved', 'src/lib/lost.ts', 'no-such-package'],
  ['no-dev-packages', 'src/lib/dev.ts', 'vitest'],
  ['no-tests-in-src', 'src/lib/tested.ts', 'test/support/app.ts'],
  ['foundation', 'src/lib/up.ts', 'src/errors.ts'],
  ['foundation', 'src/errors.ts', 'src/platform/log.ts', 'type'],
  ['declare', 'src/kernel/declare.ts', 'src/lib/tested.ts', 'type'],
  ['declarations', 'src/domains/market/declared.ts', 'src/domains/market/service.ts', 'type'],
  ['declarations', 'src/kernel/declared.ts', 'src/platform/log.ts'],
  ['declared', 'src/declared.ts', 'src/domains/market/service.ts'],
  ['declared-is-joined', 'src/domains/market/service.ts', 'src/domains/market/declared.ts'],
  ['events', 'src/events.ts', 'src/domains/market/service.ts', 'type'],
  ['config', 'src/config.ts', 'src/platform/log.ts'],
  ['policy', 'src/policy.ts', 'src/errors.ts'],
  ['platform', 'src/platform/postgres/pool.ts', 'src/platform/cache/redis.ts', 'type'],
  ['platform', 'src/platform/postgres/pool.ts', 'src/mcp/define.ts', 'type'],
  ['platform', 'src/platform/embedded/home.ts', 'src/domains/market/service.ts'],
  ['platform-log', 'src/platform/log.ts', 'src/platform/cache/redis.ts'],
  ['domain-sql', 'src/domains/market/sql.ts', 'src/platform/postgres/pool.ts'],
  ['domain-sql', 'src/domains/market/news.sql.ts', 'src/mcp/define.ts', 'type'],
  ['domain-sql-types', 'src/domains/market/news.sql.ts', 'src/domains/market/score.ts'],
  ['domain-schemas', 'src/domains/market/schemas.ts', 'src/platform/postgres/sql.ts'],
  ['domain-edges', 'src/domains/market/tools.ts', 'src/platform/postgres/pool.ts', 'type'],
  ['domain-edges', 'src/domains/market/tools.ts', 'src/domains/market/sql.ts', 'type'],
  ['domain-edges', 'src/domains/market/news.resources.ts', 'src/domains/cache/service.ts', 'type'],
  ['domain-edges-types', 'src/domains/market/tools.ts', 'src/domains/market/service.ts'],
  ['domain-index', 'src/domains/market/index.ts', 'src/domains/cache/service.ts', 'type'],
  ['domain-index', 'src/domains/market/index.ts', 'src/kernel/assemble.ts'],
  ['domain-service', 'src/domains/market/service.ts', 'src/mcp/define.ts', 'type'],
  ['domain-service', 'src/domains/market/score.ts', 'src/app.ts', 'type'],
  ['domain-behind-its-edges', 'src/domains/market/score.ts', 'src/domains/market/tools.ts'],
  ['domain-behind-its-edges', 'src/domains/market/score.ts', 'src/domains/market/index.ts'],
  ['other-domain', 'src/domains/market/service.ts', 'src/domains/cache/sql.ts', 'type'],
  ['other-domain', 'src/domains/market/service.ts', 'src/domains/cache/index.ts'],
  ['other-domain-types', 'src/domains/market/service.ts', 'src/domains/cache/service.ts'],
  ['mcp-define', 'src/mcp/define.ts', 'src/platform/postgres/pool.ts', 'type'],
  ['mcp-types', 'src/mcp/define.ts', 'src/platform/postgres/queryable.ts'],
  ['mcp', 'src/mcp/server.ts', 'src/domains/market/service.ts', 'type'],
  ['mcp', 'src/mcp/server.ts', 'src/platform/postgres/pool.ts', 'type'],
  ['kernel', 'src/kernel/commits.ts', 'src/domains/market/service.ts', 'type'],
  ['kernel-loops', 'src/kernel/loops.ts', 'src/kernel/core.ts', 'type'],
  ['loops-types', 'src/domains/jobs/queue.ts', 'src/kernel/loops.ts'],
  ['kernel', 'src/kernel/part.ts', 'src/domains/market/index.ts'],
  ['cli', 'src/cli/serve.ts', 'src/domains/market/service.ts', 'type'],
  ['cli', 'src/cli/serve.ts', 'src/mcp/server.ts', 'type'],
  ['systems', 'src/systems.ts', 'src/mcp/server.ts', 'type'],
  ['systems-below-the-root', 'src/mcp/http.ts', 'src/systems.ts', 'type'],
  ['main', 'src/main.ts', 'src/app.ts'],
  ['app-is-the-root', 'src/mcp/http.ts', 'src/app.ts', 'type'],
  ['app-is-the-root', 'src/kernel/assemble.ts', 'src/commands.ts', 'type'],
  ['app-is-the-root', 'src/app.ts', 'src/cli/serve.ts', 'type'],
  ['sdk-only-in-mcp', 'src/app.ts', '@modelcontextprotocol/server', 'type'],
  ['sdk-only-in-mcp', 'src/mcp/define.ts', '@modelcontextprotocol/server', 'type'],
  ['driver-postgres', 'src/domains/market/service.ts', 'pg', 'type'],
  ['driver-postgres', 'src/app.ts', 'pg-connection-string'],
  ['sql-parser', 'src/domains/migrations/files.ts', 'libpg-query'],
  ['sql-parser', 'src/platform/postgres/pool.ts', '@pgsql/types', 'type'],
  ['driver-cache', 'src/platform/postgres/pool.ts', 'ioredis'],
  ['driver-cache', 'src/domains/cache/service.ts', 'lru-cache'],
  ['driver-objects', 'src/domains/backups/service.ts', '@aws-sdk/client-s3'],
  ['driver-objects', 'src/domains/backups/service.ts', 'age-encryption'],
  ['driver-log', 'src/mcp/http.ts', 'pino', 'type'],
  ['client-alone', 'src/client/session.ts', 'src/errors.ts'],
  ['page-alone', 'page/answers.ts', 'src/errors.ts', 'type'],
  ['page-alone', 'page/http-source.ts', '@modelcontextprotocol/client'],
  ['page-types', 'page/feeds.ts', 'src/client/served.ts'],
  ['nobody-imports-the-page', 'src/mcp/http.ts', 'page/format.ts'],
  ['access-in-one-place', 'src/domains/cache/service.ts', 'rate-limiter-flexible'],
  ['metrics-format', 'src/mcp/http.ts', 'prom-client', 'type'],
  ['decimals-in-one-place', 'src/domains/market/service.ts', 'big.js'],
  ['policy-format', 'src/config.ts', 'smol-toml'],
  ['terminal-only-in-cli', 'src/domains/market/service.ts', 'picocolors'],
]

interface Violation {
  readonly from: string
  readonly to: string
  readonly rule: { readonly name: string }
}

const root = mkdtempSync(join(tmpdir(), 'catalyst-db-layers-'))
afterAll(() => rmSync(root, { recursive: true, force: true }))

const violations = cruise()

test.each(FORBIDDEN)('%s: %s may not import %s', (rule, from, to) => {
  const found = violations.filter((violation) => violation.rule.name === rule)
  expect(found).toContainEqual(expect.objectContaining({ from, to: expect.stringContaining(to) }))
})

test('every rule has an import that it refuses', () => {
  const { forbidden } = createRequire(import.meta.url)(join(ROOT, '.dependency-cruiser.cjs'))
  const names = forbidden.map(({ name }: { name: string }) => name)
  expect([...new Set(FORBIDDEN.map(([rule]) => rule))].sort()).toEqual([...names].sort())
})

test('the checker fails, and names the rule, as the check command runs it', () => {
  const { status, stdout } = spawnSync(process.execPath, [...command(), '--output-type', 'err'], {
    cwd: root,
    encoding: 'utf8',
  })
  expect(status).toBeGreaterThan(0)
  expect(stdout).toContain('error sdk-only-in-mcp: src/app.ts')
})

test('only the entry point reads the environment', () => {
  const tree = mkdtempSync(join(root, 'env-'))
  copyFileSync(join(ROOT, 'biome.json'), join(tree, 'biome.json'))
  for (const path of ['src/main.ts', 'src/cli/serve.ts', 'src/domains/market/service.ts']) {
    write(tree, path, ['export const url = process.env.DATABASE_URL'])
  }
  const args = ['lint', '--vcs-enabled=false', '--reporter=github', 'src']
  const { status, stdout } = spawnSync(BIOME, args, { cwd: tree, encoding: 'utf8' })
  expect(status).toBe(1)
  expect(refusals(stdout)).toEqual(['src/cli/serve.ts', 'src/domains/market/service.ts'])
})

const refusals = (report: string): (string | undefined)[] =>
  [...report.matchAll(/title=lint\/style\/noProcessEnv,file=[^,]*\/(src\/[^,]+)/g)]
    .map(([, file]) => file)
    .sort()

/** Writes all the imports into one tree and lets the checker judge it once. */
function cruise(): readonly Violation[] {
  symlinkSync(join(ROOT, 'node_modules'), join(root, 'node_modules'))
  for (const file of ['tsconfig.json', 'package.json']) {
    copyFileSync(join(ROOT, file), join(root, file))
  }
  const imports = new Map<string, string[]>()
  const add = (from: string, to: string, kind?: Kind) =>
    imports.set(from, [...(imports.get(from) ?? []), statement(from, to, kind)])
  for (const [, from, to, kind] of FORBIDDEN) add(from, to, kind)
  add('src/lib/cycle-b.ts', 'src/lib/cycle-a.ts')
  add('src/lib/type-cycle-b.ts', 'src/lib/type-cycle-a.ts', 'type')
  for (const [, , to] of FORBIDDEN) if (isOurs(to) && !imports.has(to)) imports.set(to, [])
  for (const [path, lines] of imports) write(root, path, [...lines, 'export const value = 1'])
  const json = execFileSync(process.execPath, [...command(), '--output-type', 'json'], {
    cwd: root,
    encoding: 'utf8',
  })
  return JSON.parse(json).summary.violations
}

function write(tree: string, path: string, lines: readonly string[]): void {
  const file = join(tree, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, `${lines.join('\n')}\n`)
}

function command(): string[] {
  return [DEPCRUISE, 'src', 'page', '--config', join(ROOT, '.dependency-cruiser.cjs')]
}

function isOurs(path: string): boolean {
  return /^(src|test|page)\//.test(path)
}

function statement(from: string, to: string, kind: Kind = 'value'): string {
  const specifier = isOurs(to)
    ? posix
        .relative(posix.dirname(from), to)
        .replace(/^(?!\.)/, './')
        .replace(/\.ts$/, '.js')
    : to
  return kind === 'type' ? `import type {} from '${specifier}'` : `import '${specifier}'`
}
