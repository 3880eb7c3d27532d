import { expect, test } from 'vitest'
import { RULES, ruleDocs } from '../../src/platform/sql-parser/lint/rules.js'
import { linted } from './lint/linted.js'
import { RULE_FIXTURES } from './lint/rule-fixtures.js'

const cases = (kind: 'bad' | 'good') =>
  Object.entries(RULE_FIXTURES).flatMap(([rule, fixtures]) =>
    fixtures[kind].map((sql) => ({ rule, sql, context: fixtures.context })),
  )

test('every rule has fixtures of both kinds, and no others have', () => {
  expect(Object.keys(RULE_FIXTURES).sort()).toEqual(RULES.map(({ name }) => name).sort())
  for (const { bad, good } of Object.values(RULE_FIXTURES)) {
    expect(bad).not.toEqual([])
    expect(good).not.toEqual([])
  }
})

test.each(cases('bad'))('$rule finds: $sql', async ({ rule, sql, context }) => {
  const expected = RULES.find(({ name }) => name === rule)
  const found = (await linted(sql, context)).filter((finding) => finding.rule === rule)
  expect(found).not.toEqual([])
  for (const { severity, message } of found) {
    expect(severity).toBe(expected?.severity)
    expect(message).toMatch(/^[^\p{C}]+: \P{C}+\.$/u)
  }
})

test.each(cases('good'))('$rule lets pass: $sql', async ({ rule, sql, context }) => {
  expect((await linted(sql, context)).filter((finding) => finding.rule === rule)).toEqual([])
})

test('the documentation lists every rule once, worst first', () => {
  const docs = ruleDocs()
  expect(docs.map(({ name }) => name).sort()).toEqual(RULES.map(({ name }) => name).sort())
  expect([...new Set(docs.map(({ severity }) => severity))]).toEqual(['error', 'block', 'warn'])
  for (const { what, safeWay } of docs) {
    expect(what).toMatch(/^\P{Lu}.{10,130}\.$|^[A-Z]{4,}.{10,130}\.$|^PostgreSQL.{10,130}\.$/u)
    if (safeWay !== null) expect(safeWay).toMatch(/^.{4,180}\.$/)
  }
})
