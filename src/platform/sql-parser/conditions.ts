import { parseScript } from './parse-script.js'
import { body, type Node } from './syntax.js'
import { partsOf } from './tree.js'

/** How a condition uses a column, as far as an index can serve it. */
type ConditionKind = 'equal' | 'range' | 'contains' | 'other'

/** One of the conditions that a plan joins by AND. */
export interface Condition {
  readonly kind: ConditionKind
  /** Alias of the table and the column; null where it is not about one column. */
  readonly column: { readonly table: string | null; readonly name: string } | null
  /** Of the other side, where that is a column too. */
  readonly other: { readonly table: string | null; readonly name: string } | null
  /** The function around the column, which keeps an index of the column itself from serving. */
  readonly wrapper: string | null
}

const OPERATORS: Readonly<Record<string, ConditionKind>> = {
  '=': 'equal',
  '<': 'range',
  '>': 'range',
  '<=': 'range',
  '>=': 'range',
  '@>': 'contains',
  '&&': 'contains',
  '@@': 'contains',
  '?': 'contains',
}

/** The conditions of a filter as EXPLAIN writes it; none where it is not plain SQL. */
export async function conditionsOf(filter: string): Promise<Condition[]> {
  const plain = filter
    .replaceAll(/\(?(hashed )?\(?(InitPlan|SubPlan) \d+\)?\)?(\.col\d+)?/g, 'null')
    .replaceAll(/\$\d+/g, 'null')
  try {
    const [statement] = await parseScript(`select where ${plain}`)
    const where = statement?.kind === 'SelectStmt' ? statement.node.whereClause : undefined
    return where ? andsOf(where).map(conditionOf) : []
  } catch {
    return []
  }
}

function andsOf(node: Node): Node[] {
  const bool = body(node, 'BoolExpr')
  return bool?.boolop === 'AND_EXPR' ? (bool.args ?? []).flatMap(andsOf) : [node]
}

function conditionOf(node: Node): Condition {
  const expression = body(node, 'A_Expr')
  const tested = body(node, 'NullTest')
  if (tested) return about('other', sideOf(tested.arg), null)
  const flag = sideOf(body(node, 'BoolExpr')?.args?.[0] ?? node)
  if (!expression) return about(flag?.column ? 'equal' : 'other', flag, null)
  const [left, right] = [sideOf(expression.lexpr), sideOf(expression.rexpr)]
  const operator = partsOf(expression.name).at(-1) ?? ''
  const isAll = expression.kind === 'AEXPR_OP_ALL'
  const kind = isAll ? 'other' : (OPERATORS[operator] ?? 'other')
  return left?.column ? about(kind, left, right) : about(kind, right, left)
}

interface Side {
  readonly column: Condition['column']
  readonly wrapper: string | null
}

const about = (kind: ConditionKind, side: Side | null, other: Side | null): Condition => ({
  kind,
  column: side?.column ?? null,
  wrapper: side?.wrapper ?? null,
  other: other && other.wrapper === null ? other.column : null,
})

/** A column, inside of casts and of one function perhaps. */
function sideOf(node: Node | undefined): Side | null {
  const cast = body(node, 'TypeCast')
  if (cast) {
    const inner = sideOf(cast.arg)
    const type = partsOf(cast.typeName?.names).at(-1) ?? ''
    // The same bytes under another name; an index serves both.
    const isSame = ['text', 'varchar', 'bpchar', 'name'].includes(type)
    return inner?.column && !isSame ? { ...inner, wrapper: inner.wrapper ?? `::${type}` } : inner
  }
  const collated = body(node, 'CollateClause')
  if (collated) return sideOf(collated.arg)
  const call = body(node, 'FuncCall')
  if (call) {
    const inner = (call.args ?? []).map(sideOf).find((one) => one?.column)
    return inner ? { column: inner.column, wrapper: partsOf(call.funcname).at(-1) ?? '' } : null
  }
  const parts = partsOf(body(node, 'ColumnRef')?.fields)
  const [name, table = null] = parts.toReversed()
  return name === undefined ? null : { column: { table, name }, wrapper: null }
}
