import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import type { Finding } from '../../src/domains/migrations/lint/finding.js'
import { lintMigration } from '../../src/domains/migrations/lint/lint-migration.js'
import { lintScript } from '../../src/domains/migrations/lint/lint-script.js'
import type { LintContext } from '../../src/domains/migrations/lint/script-state.js'
import { transactionless } from '../../src/domains/migrations/lint/transactionless.js'
import { parseScript } from '../../src/platform/sql-parser/parse-script.js'

const CORPUS = join(import.meta.dirname, 'corpus')

const files = (kind: 'dangerous' | 'safe') =>
  readdirSync(join(CORPUS, kind)).map((name) => ({
    name,
    sql: readFileSync(join(CORPUS, kind, name), 'utf8'),
  }))

/** The lines of the header that begin with a word. */
const directives = (sql: string, word: string): string[] =>
  [...sql.matchAll(new RegExp(`^-- ${word}: (.*)$`, 'gm'))].map(([, value = '']) => value)

async function judge(sql: string) {
  const statements = await parseScript(sql)
  const [transaction] = directives(sql, 'transaction')
  const context: LintContext = {
    allow: new Map(directives(sql, 'allow').map((line) => splitOnce(line))),
    isTransactional: transaction ? transaction === 'one' : !statements.some(transactionless),
    hasDown: true,
    tables: new Map(directives(sql, 'size').map(size)),
  }
  const ours = lintScript(statements, context)
  const { findings, engines } = await lintMigration({ sql, statements }, context)
  return { ours, all: findings, engines }
}

function splitOnce(line: string): [string, string] {
  const at = line.indexOf(' ')
  return [line.slice(0, at), line.slice(at + 1)]
}

function size(line: string): [string, { rows: number; bytes: number }] {
  const [table = '', rows, bytes] = line.split(' ')
  return [table, { rows: Number(rows), bytes: Number(bytes) }]
}

const stopping = (findings: readonly Finding[]): string[] =>
  [
    ...new Set(
      findings
        .filter(({ severity }) => severity === 'error' || severity === 'block')
        .map(({ rule }) => rule),
    ),
  ].sort()

test('the corpus has thirty migrations of each kind at least', () => {
  expect(files('dangerous').length).toBeGreaterThanOrEqual(30)
  expect(files('safe').length).toBeGreaterThanOrEqual(30)
})

test.each(files('dangerous'))('$name is stopped for its reasons alone', async ({ sql }) => {
  const expected = directives(sql, 'expect').join().split(', ').sort()
  const { ours, all, engines } = await judge(sql)
  expect(stopping(ours)).toEqual(expected)
  expect(stopping(all)).toEqual(expected)
  expect(engines).toEqual(['catalyst-db', 'squawk'])
})

test.each(files('safe'))('$name is not stopped, by squawk neither', async ({ sql }) => {
  const { ours, all, engines } = await judge(sql)
  expect(stopping(ours)).toEqual([])
  expect(stopping(all)).toEqual([])
  expect(engines).toEqual(['catalyst-db', 'squawk'])
})
