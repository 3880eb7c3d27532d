import { bodies, body } from '../../../platform/sql-parser/syntax.js'
import { partsOf, quoted } from './relation-name.js'
import { manual, type Rule } from './rule.js'
import { isOn } from './tree.js'

/** Its caller's search_path decides what the names in it mean, under its owner's rights. */
export const securityDefiner: Rule = {
  name: 'security-definer-search-path',
  severity: 'block',
  what: 'SECURITY DEFINER without a search_path of its own lets callers exchange what it runs.',
  safeWay: "Add SET search_path = '' and qualify the names in it.",
  docs: manual('sql-createfunction'),
  check: ({ kind, node }) => {
    const isFunction = kind === 'CreateFunctionStmt' || kind === 'AlterFunctionStmt'
    const options = kind === 'AlterFunctionStmt' ? node.actions : isFunction ? node.options : []
    if (!isFunction || !isOn(options, 'security')) return []
    const settings = bodies(options, 'DefElem').map(({ arg }) => body(arg, 'VariableSetStmt'))
    const name = kind === 'AlterFunctionStmt' ? node.func?.objname : node.funcname
    return settings.some((setting) => setting?.name === 'search_path')
      ? []
      : [{ subject: quoted(partsOf(name).at(-1) ?? ''), on: [] }]
  },
}
