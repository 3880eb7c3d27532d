import { foreignKeyColumns } from './indexed-columns.js'
import { quoted, TEMPORARY } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import { changedRelations } from './targets.js'
import { isSerial, type NewColumn, newColumns, typeOf } from './tree.js'

type ColumnRule = Pick<Rule, 'name' | 'what' | 'safeWay' | 'docs'> & {
  readonly matches: (column: NewColumn, type: string) => boolean
}

/** A rule about the type that a column is given. */
const columnRule = ({ matches, ...rule }: ColumnRule): Rule => ({
  ...rule,
  severity: 'warn',
  check: (statement, script) =>
    newColumns(statement)
      .filter((added) => matches(added, typeOf(added.column.typeName)))
      .map(script.columnHit),
})

export const preferBigint = columnRule({
  name: 'prefer-bigint-over-int',
  what: 'a 32-bit number ends at 2.1 billion.',
  safeWay: 'bigint.',
  docs: squawkDocs('prefer-bigint-over-int'),
  matches: (_, type) => type === 'int4',
})

export const preferIdentity = columnRule({
  name: 'prefer-identity',
  what: 'serial leaves its sequence with rights and an owner of its own.',
  safeWay: 'bigint generated always as identity.',
  docs: squawkDocs('prefer-identity'),
  matches: ({ column }) => isSerial(column),
})

export const preferText = columnRule({
  name: 'prefer-text-field',
  what: 'the limit of a varchar cannot be lowered without reading every row.',
  safeWay: 'text, with a CHECK on its length if there is a limit.',
  docs: squawkDocs('prefer-text-field'),
  matches: ({ column }, type) => type === 'varchar' && column.typeName?.typmods !== undefined,
})

export const preferTimestampTz = columnRule({
  name: 'prefer-timestamp-tz',
  what: 'a timestamp without time zone does not say which moment it means.',
  safeWay: 'timestamptz.',
  docs: squawkDocs('prefer-timestamp-tz'),
  matches: (_, type) => type === 'timestamp',
})

export const preferJsonb = columnRule({
  name: 'prefer-jsonb',
  what: 'json is text: it has no equality, no index, and is parsed at every use.',
  safeWay: 'jsonb.',
  docs: manual('datatype-json'),
  matches: (_, type) => type === 'json',
})

export const preferNumeric = columnRule({
  name: 'prefer-numeric-for-money',
  what: 'a float rounds amounts, and the type money depends on the locale.',
  safeWay: 'numeric, with a precision and scale.',
  docs: manual('datatype-numeric'),
  matches: ({ column }, type) =>
    type === 'money' || (/^float[48]$/.test(type) && AMOUNT.test(column.colname ?? '')),
})

const AMOUNT = /(^|_)(price|amount|cost|fee|fees|pnl|quantity|qty|balance|total|notional)(_|$)/i

/** PostgreSQL cuts names silently; the parser gives what is left. */
export const longIdentifier: Rule = {
  name: 'identifier-too-long',
  severity: 'warn',
  what: 'PostgreSQL cuts names to 63 bytes, and two may become one.',
  safeWay: 'A shorter name.',
  docs: squawkDocs('identifier-too-long'),
  check: ({ text }) =>
    [...text.matchAll(/(?<![\p{L}\p{N}_$'])[\p{L}_][\p{L}\p{N}_$]{31,}(?![\p{L}\p{N}_$'])/gu)]
      .map(([name]) => name)
      .filter((name) => Buffer.byteLength(name) > MAX_NAME_BYTES)
      .map((name) => ({ subject: `${quoted(name.slice(0, SHOWN))}...`, on: [] })),
}

/** NAMEDATALEN - 1. */
const MAX_NAME_BYTES = 63
const SHOWN = 30

export const requireSchema: Rule = {
  name: 'require-table-schema',
  severity: 'warn',
  what: 'without a schema, the search_path decides which one is meant.',
  safeWay: 'Write schema.name.',
  docs: squawkDocs('require-table-schema'),
  check: (statement, script) =>
    changedRelations(statement)
      .filter(({ schemaname, relpersistence }) => !schemaname && relpersistence !== 't')
      .map((relation) => script.hit(relation))
      .filter(({ on }) => !on.some(({ schema }) => schema === TEMPORARY)),
}

/** Deleting from the other table reads this one as often as rows are deleted. */
export const foreignKeyIndex: Rule = {
  name: 'missing-foreign-key-index',
  severity: 'warn',
  what: 'no index of this script begins with the column, and every delete there reads all of this table.',
  safeWay: 'Index the referencing columns.',
  docs: manual('ddl-constraints'),
  check: (statement, script) =>
    foreignKeyColumns(statement)
      .filter((key) => !script.isIndexed(key))
      .map(({ table, column }) => script.hit(table, column)),
}
