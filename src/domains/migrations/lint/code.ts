import { body, type ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { partsOf } from './relation-name.js'
import type { ScriptState } from './script-state.js'
import { nodesIn, option } from './tree.js'

/**
 * The code that a statement runs and that the parser does not look into: the body of a DO, and the
 * functions made in the same script that it calls.
 */
export function codeRunBy(statement: ScriptStatement, script: ScriptState): string[] {
  if (statement.kind === 'DoStmt') {
    return [body(option(statement.node.args, 'as')?.arg, 'String')?.sval ?? '']
  }
  return nodesIn(statement).flatMap(({ kind, node }) => {
    if (kind !== 'FuncCall' && kind !== 'CallStmt') return []
    const called = kind === 'FuncCall' ? node.funcname : node.funccall?.funcname
    return script.codeOf(partsOf(called).at(-1) ?? '') ?? []
  })
}

/** Words after which rows or objects may be gone; EXECUTE may run anything. */
export const DESTRUCTIVE_WORDS = /\b(drop|truncate|delete|update|execute|dblink)\b/i
