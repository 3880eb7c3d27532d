import { bodies, type Node, type RangeVar } from '../../../platform/sql-parser/syntax.js'

/** A table, index, view or sequence. */
export interface RelationName {
  readonly schema: string
  readonly name: string
}

/** The schema of what `create temporary` makes, which an unqualified name finds first. */
export const TEMPORARY = 'pg_temp'

/** How relations are found in maps: `schema.name`, unquoted. */
export const keyOf = ({ schema, name }: RelationName): string => `${schema}.${name}`

/** How a relation is written in a message. */
export const shown = ({ schema, name }: RelationName): string => `${quoted(schema)}.${quoted(name)}`

/** An identifier as it is safe to print: quoted where it must be, without control characters. */
export function quoted(identifier: string): string {
  const plain = identifier.replaceAll(/\p{C}/gu, '?')
  return /^[a-z_][a-z0-9_$]*$/.test(plain) ? plain : `"${plain.replaceAll('"', '""')}"`
}

/** The parts of a qualified name, as lists of strings or lists of lists give it. */
export const partsOf = (nodes: readonly Node[] | undefined): string[] =>
  bodies(nodes, 'String').flatMap(({ sval }) => sval ?? '')

/** A relation where it is given by the parts of its name, the last ones first to be believed. */
export function rangeOf(parts: readonly string[]): RangeVar {
  const [relname, schemaname] = parts.toReversed()
  return {
    ...(relname === undefined ? {} : { relname }),
    ...(schemaname === undefined ? {} : { schemaname }),
  }
}
