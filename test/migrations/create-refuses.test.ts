import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { sendRaw } from '../support/raw-call.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
const { client, url } = await startApp({ env: folder.env })

const valid = { name: 'add_tags', up_sql: 'create table tags (id bigint);', down_sql: '' }
const refused = (change: object) => client.refused('create_migration', { ...valid, ...change })

test.each([
  '../../x',
  '..\\x',
  'CON',
  '',
  'a b',
  'täg',
  'tag\u202e',
  'a'.repeat(81),
  'x\n1001_y',
  'x.up.sql',
])('the name %j', async (name) => {
  const error = await refused({ name })
  expect(error).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(/^name: must be 1-80 of a-z, 0-9 and _/),
  })
  expect(folder.files).toEqual([])
})

test.each([
  ['nothing', '', 'up_sql: must not be empty'],
  ['white space', ' \n\t', 'up_sql: must not be empty'],
  ['a comment alone', '-- nothing', 'up_sql has no statement in it.'],
  [
    'comments and semicolons alone',
    '/* nothing */;;\n-- more\n;',
    'up_sql has no statement in it.',
  ],
  ['a NUL', 'select 1\0; drop table x', 'up_sql: must not contain a NUL character'],
  ['half a character', `select '\ud800'`, 'up_sql: must be well-formed Unicode'],
  [
    'a syntax error',
    'create table t (\n  id bigint,\n  oops oops oops\n);',
    'At line 3, column 13',
  ],
  ['an open quote', `select 'x`, 'unterminated quoted string'],
  ['its own COMMIT', 'create table t (id int); commit;', 'statement 2 (line 1)'],
  ['COPY from nowhere', 'copy news from stdin', 'up_sql, line 1: copy-stdin'],
  [
    'ALTER SYSTEM',
    'select 1;\nalter system set fsync = off',
    'up_sql, statement 2 (line 2) cannot be part of a migration.',
  ],
  [
    'deep nesting',
    `select ${'('.repeat(100_000)}1${')'.repeat(100_000)}`,
    'At line 1, column 10004: memory exhausted',
  ],
])('up_sql with %s', async (_, up_sql, message) => {
  const error = await refused({ up_sql })
  expect(error).toMatchObject({ code: 'invalid_input', hint: expect.any(String) })
  expect(error.message).toContain(message)
  expect(folder.files).toEqual([])
})

test.each([
  ['a NUL', 'drop table\0 x', 'down_sql: must not contain a NUL character'],
  ['a syntax error', 'drop tabel tags', 'At line 1, column 6'],
  ['COPY to nowhere', 'copy tags to stdout', 'down_sql, line 1: copy-stdin'],
])('down_sql with %s', async (_, down_sql, message) => {
  const error = await refused({ down_sql })
  expect(error).toMatchObject({ code: 'invalid_input', hint: expect.any(String) })
  expect(error.message).toContain(message)
  expect(folder.files).toEqual([])
})

test.each([
  ['up_sql', 'x'],
  ['up_sql', 'ä'],
  ['down_sql', 'x'],
])('more than 256 kB in %s, of %j', async (field, letter) => {
  const room = 256 * 1024 - "select ''".length
  const most = `select '${letter.repeat(room / Buffer.byteLength(letter))}'`.padEnd(256 * 1024)
  for (const text of [`${most}; select 1`, `select '${letter.repeat(6 * 1024 * 1024)}'`]) {
    const error = await refused({ [field]: text })
    expect(error).toMatchObject({
      code: 'invalid_input',
      message: `${field} has ${Buffer.byteLength(text)} bytes; 262144 are allowed over MCP.`,
      hint: expect.stringContaining('Divide it into several migrations'),
    })
  }
  expect(folder.files).toEqual([])
})

test.each([
  ['dbmate', '-- migrate:up\nselect 1;\n-- migrate:down\nselect 2;'],
  ['goose', '-- +goose Up\nselect 1;\n-- +goose Down\nselect 2;'],
  ['sql-migrate', 'select 1;\n  -- +migrate Down\nselect 2;'],
  ['node-pg-migrate', '-- Up Migration\nselect 1;\n-- Down Migration\nselect 2;'],
  ['Liquibase', '--liquibase formatted sql\n\n--changeset me:1\nselect 1;\n--rollback select 2;'],
  ['Sqitch', '-- Deploy flipr:users to pg\n\nselect 1;'],
])('what is written for %s', async (tool, up_sql) => {
  expect(await refused({ up_sql })).toMatchObject({
    code: 'invalid_input',
    message: `up_sql is written for another tool (${tool}).`,
    hint: expect.stringContaining('.down.sql'),
  })
  expect(folder.files).toEqual([])
})

test.each([
  ['two lines', 'harmless\n-- allow: ban-drop-table x'],
  ['a carriage return', 'harmless\r-- transaction: none'],
  ['a line separator', 'harmless\u2028x'],
  ['nothing', ' '],
])('a description of %s', async (_, description) => {
  const error = await refused({ description })
  expect(error).toMatchObject({
    code: 'invalid_input',
    message: expect.stringMatching(/^description: must/),
  })
  expect(folder.files).toEqual([])
})

test.each([
  ['allow', '-- allow: ban-drop-table nobody reads it\ndrop table tags'],
  ['lock_timeout', '-- lock_timeout: 1h\nalter table tags add a int'],
  ['out-of-order', '-- out-of-order: ok\ncreate table t ()'],
])('a header that only people may write: %s', async (name, sql) => {
  for (const change of [{ up_sql: sql }, { down_sql: sql }]) {
    const error = await refused(change)
    expect(error).toMatchObject({ code: 'invalid_input' })
    expect(error.message).toContain(`has "-- ${name}:", which only people may set`)
  }
  expect(folder.files).toEqual([])
})

test.each([
  ['it cannot be read', '-- transaction: maybe\nselect 1', 'must be none'],
  ['it is not known', '-- allowance: 1\nselect 1', 'The header of up_sql cannot be read'],
])('a header when %s', async (_, up_sql, message) => {
  expect((await refused({ up_sql })).message).toContain(message)
  expect(folder.files).toEqual([])
})

test('what contradicts itself', async () => {
  const up_sql = '-- description: a\n-- irreversible: because\nselect 1'
  expect(await refused({ up_sql, down_sql: 'select 2' })).toMatchObject({
    message: 'up_sql says "-- irreversible:", but there is a down_sql.',
  })
  expect(await refused({ up_sql, description: 'b' })).toMatchObject({
    message: 'description is given twice: as an argument and in up_sql.',
  })
  expect(folder.files).toEqual([])
})

test('more than a request may have is refused before anything is read', async () => {
  const args = `{"name":"a","down_sql":"","up_sql":"${'x'.repeat(33 * 1024 * 1024)}"}`
  expect((await sendRaw(url, 'create_migration', args)).status).toBe(413)
  expect(folder.files).toEqual([])
})
