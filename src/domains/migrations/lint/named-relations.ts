import type { ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { keyOf, type RelationName } from './relation-name.js'
import { created, type LintContext, ScriptState } from './script-state.js'
import { dropped, nodesIn } from './tree.js'

const NOTHING_KNOWN: LintContext = {
  allow: new Map(),
  isTransactional: true,
  hasDown: true,
  tables: null,
}

/**
 * The tables and indexes that a script names and did not make, for the service to look up how big
 * they are; of an index, its table's size counts.
 */
export function namedRelations(statements: readonly ScriptStatement[]): readonly RelationName[] {
  const script = new ScriptState(statements, NOTHING_KNOWN)
  const named = new Map<string, RelationName>()
  for (const statement of statements) {
    for (const range of rangesOf(statement)) {
      const relation = script.resolve(range)
      if (relation.name && !script.isNew(relation)) named.set(keyOf(relation), relation)
    }
    script.advance(statement)
  }
  return [...named.values()]
}

/** The tables that a script makes: empty, when a later script of the same run is judged. */
export function createdRelations(statements: readonly ScriptStatement[]): readonly RelationName[] {
  const script = new ScriptState(statements, NOTHING_KNOWN)
  const made: RelationName[] = []
  for (const statement of statements) {
    script.advance(statement)
    made.push(...created(statement).map((range) => script.resolve(range)))
  }
  return made.filter((relation) => script.isNew(relation))
}

/** Relations are nodes of their own in lists, and plain fields elsewhere. */
function rangesOf(statement: ScriptStatement) {
  const inLists = nodesIn(statement).flatMap(({ kind, node }) => {
    if (kind === 'RangeVar') return node
    if (kind === 'Constraint') return node.pktable ?? []
    return 'relation' in node && node.relation && 'relname' in node.relation ? node.relation : []
  })
  return [...inLists, ...dropped(statement, 'OBJECT_TABLE', 'OBJECT_INDEX', 'OBJECT_MATVIEW')]
}
