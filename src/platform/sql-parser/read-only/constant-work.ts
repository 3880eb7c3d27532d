import { type AnyNode, type Node, untag } from '../syntax.js'
import { partsOf, typeOf } from '../tree.js'
import { Refusal } from './refusal.js'
import {
  both,
  constant,
  number,
  ofCast,
  ofFunction,
  ofOperator,
  type Size,
  SMALL,
  STORED,
  text,
} from './value-size.js'

/** Above it no value of a statement may come, by its text alone. */
const MAX_BYTES = 1_000_000
/** Rounds through the names that a statement gives to its values. What doubles in each is too large by then. */
const ROUNDS = 20
/** Rounds that a recursion may go beyond those, for what grows by the same in each. */
const FURTHER = 1_000

type Fields = Readonly<Record<string, unknown>>

/**
 * Refuses what would cost memory and time before or while it runs, as far as its text tells: nested
 * repetition is computed when a statement is planned, EXPLAIN included, and no time limit stops it.
 *
 * @param values of the parameters, as text
 * @throws Refusal
 */
export function refuseLargeValues(
  { kind, node }: AnyNode,
  values: readonly (string | null)[],
): void {
  const select = { [kind]: node }
  const names = new Map<string, Size>()
  for (let round = 1; round <= ROUNDS; round++) {
    const estimate = new Estimate(values, names)
    estimate.of(select)
    if (!estimate.hasChanged) return
  }
  // What still grows does so by the same in each round.
  for (const [name, { bytes, max }] of names) {
    names.set(name, { bytes, max: Number.isFinite(max) ? max + (max / ROUNDS) * FURTHER : max })
  }
  new Estimate(values, names).of(select)
}

/** One round: the bounds of every expression, given those of the names. */
class Estimate {
  readonly #values: readonly (string | null)[]
  readonly #names: Map<string, Size>
  /** Names of stored tables: what stands after them is no value of the statement's own. */
  readonly #tables = new Set<string>()
  readonly #rows = new Map<string, number>()
  hasChanged = false

  constructor(values: readonly (string | null)[], names: Map<string, Size>) {
    this.#values = values
    this.#names = names
  }

  of(node: unknown): Size {
    const keys = Object.keys(Object(node))
    if (keys.length !== 1 || !/^[A-Z]/.test(keys[0] ?? '')) return this.#each(node)
    const { kind, node: body } = untag(node as Node)
    const size = this.#sizeOf(kind, Object(body))
    if (size.bytes > MAX_BYTES) throw tooLarge()
    return size
  }

  #sizeOf(kind: string, fields: Fields): Size {
    switch (kind) {
      case 'A_Const':
        return ofConstant(fields)
      case 'ParamRef':
        return constant(this.#values[Number(fields.number) - 1] ?? '')
      case 'TypeCast': {
        const type = Object(fields.typeName)
        return ofCast(typeOf(type), this.of(fields.arg), lengthsOf(type.typmods))
      }
      case 'A_Expr':
        return this.#operator(fields)
      case 'FuncCall':
        return this.#function(fields)
      case 'MinMaxExpr': {
        const args = list(fields.args).map((one) => this.of(one))
        if (fields.op !== 'IS_LEAST') return both(args)
        return { ...both(args), max: Math.min(...args.map(({ max }) => max)) }
      }
      case 'CoalesceExpr':
        return both(list(fields.args).map((one) => this.of(one)))
      case 'CaseExpr':
        return both(
          [...list(fields.args), fields.defresult].map((one) => (one ? this.of(one) : SMALL)),
        )
      case 'CaseWhen':
        this.of(fields.expr)
        return this.of(fields.result)
      case 'CollateClause':
      case 'NamedArgExpr':
        return this.of(fields.arg)
      case 'A_ArrayExpr': {
        const items = list(fields.elements).map((one) => this.of(one))
        const numbers = items.map(({ max }) => max)
        // Lengths of an array that is filled are multiplied.
        return {
          bytes: items.reduce((all, { bytes }) => all + bytes + 8, 24),
          max: numbers.reduce((all, max) => all * Math.max(1, max), 1),
        }
      }
      case 'RowExpr':
        return text(list(fields.args).reduce<number>((all, one) => all + this.of(one).bytes, 24))
      case 'ColumnRef':
        return this.#column(partsOf(list(fields.fields)))
      case 'SubLink':
        return this.#subquery(fields)
      case 'SelectStmt':
        return this.#select(fields, [])
      case 'NullTest':
      case 'BooleanTest':
      case 'BoolExpr':
        this.#each(fields)
        return SMALL
      case 'RangeVar':
        this.#tables.add(String(Object(fields.alias).aliasname ?? fields.relname ?? ''))
        return SMALL
      default:
        return this.#each(fields)
    }
  }

  /** Whatever is inside, as much as all of it. */
  #each(value: unknown): Size {
    if (typeof value !== 'object' || value === null) return SMALL
    const sizes = Object.values(value).flatMap((one) =>
      typeof one === 'object' && one !== null ? [this.of(one)] : [],
    )
    const bytes = sizes.reduce((all, size) => all + size.bytes, 8)
    if (Array.isArray(value) || bytes <= MAX_BYTES) return text(Math.min(bytes, MAX_BYTES))
    return text(MAX_BYTES)
  }

  #operator({ name, lexpr, rexpr }: Fields): Size {
    const [left, right] = [lexpr, rexpr].map((one) => (one ? this.of(one) : SMALL))
    const isConstant = Object.hasOwn(Object(rexpr), 'A_Const')
    const size = ofOperator(
      partsOf(list(name)).at(-1) ?? '',
      left ?? SMALL,
      right ?? SMALL,
      isConstant,
    )
    return checked(size)
  }

  #function({ funcname, args, agg_order, agg_filter, over, agg_distinct: _ }: Fields): Size {
    const given = list(args)
    const sizes = given.map((one) => this.of(one))
    const ordered = list(agg_order).map((one) => this.of(one))
    for (const one of [agg_filter, over]) if (one) this.of(one)
    const name = partsOf(list(funcname)).at(-1) ?? ''
    const size = ofFunction(
      name,
      sizes.length > 0 ? sizes : ordered,
      given.map((one) => this.#textOf(one)),
    )
    return checked(GATHERING.test(name) ? text((size.bytes + 8) * this.#generated) : size)
  }

  /** The text of a constant argument. */
  #textOf(node: unknown): string | null {
    const { A_Const, TypeCast, ParamRef, NamedArgExpr } = Object(node)
    if (ParamRef) return this.#values[Number(ParamRef.number) - 1] ?? null
    if (TypeCast) return this.#textOf(TypeCast.arg)
    if (NamedArgExpr) return this.#textOf(NamedArgExpr.arg)
    return A_Const ? textOfConstant(A_Const) : null
  }

  #column(parts: readonly string[]): Size {
    const [name = '', table] = parts.toReversed()
    if (table !== undefined && this.#tables.has(table) && !this.#names.has(`${table}.`))
      return STORED
    return this.#names.get(name) ?? STORED
  }

  #subquery({ testexpr, subselect, subLinkType }: Fields): Size {
    if (testexpr) this.of(testexpr)
    const rowsBefore = this.#generated
    this.#generated = 1
    const size = this.#select(Object(Object(subselect).SelectStmt), [])
    const rows = this.#generated
    this.#generated = rowsBefore
    if (subLinkType !== 'ARRAY_SUBLINK') return subLinkType === 'EXPR_SUBLINK' ? size : SMALL
    return text((size.bytes + 8) * rows)
  }

  /** Rows that the FROM of the query that is looked at makes out of nothing. */
  #generated = 1

  /** The bounds of its columns are remembered under their names; the answer is those of the first. */
  #select(fields: Fields, columns: readonly string[]): Size {
    const { withClause, fromClause, targetList, valuesLists, larg, rarg, ...rest } = fields
    for (const one of list(Object(withClause).ctes)) this.#cte(Object(Object(one).CommonTableExpr))
    let rows = 1
    for (const one of list(fromClause)) rows *= this.#from(one)
    this.#generated = rows
    const sizes = list(targetList).map((one, index) => {
      const { name, val } = Object(Object(one).ResTarget)
      const size = this.of(val)
      rows *= this.#seriesOf(Object(Object(val).FuncCall))
      this.#define(columns[index] ?? name ?? nameOf(val), size)
      return size
    })
    const items = list(valuesLists).map((one) => list(Object(Object(one).List).items))
    for (const item of items) {
      item.forEach((value, index) => {
        const size = this.of(value)
        this.#define(columns[index] ?? `column${index + 1}`, size)
        sizes.push(size)
      })
    }
    let made = Math.max(rows, items.length)
    for (const side of [larg, rarg]) {
      if (!side) continue
      sizes.push(this.#select(Object(side), columns))
      made = Math.max(made, this.#generated * 2)
    }
    this.#each(rest)
    const limit = this.#limitOf(rest.limitCount)
    this.#generated = Math.min(made, limit)
    return both(sizes)
  }

  #limitOf(node: unknown): number {
    const { max } = node ? ofLimit(this.#textOf(node)) : { max: Number.POSITIVE_INFINITY }
    return max
  }

  #cte({ ctename, aliascolnames, ctequery }: Fields): void {
    this.#select(Object(Object(ctequery).SelectStmt), partsOf(list(aliascolnames)))
    this.#rows.set(String(ctename), this.#generated)
  }

  /** How many rows one item of FROM makes; what is stored counts as one. */
  #from(node: unknown): number {
    const { RangeVar, RangeSubselect, RangeFunction, JoinExpr } = Object(node)
    if (RangeVar) {
      const made = RangeVar.schemaname ? undefined : this.#rows.get(RangeVar.relname)
      if (made === undefined) this.of(node)
      return made ?? 1
    }
    if (JoinExpr) {
      if (JoinExpr.quals) this.of(JoinExpr.quals)
      return this.#from(JoinExpr.larg) * this.#from(JoinExpr.rarg)
    }
    if (RangeSubselect) {
      const { alias, subquery } = RangeSubselect
      this.#select(Object(Object(subquery).SelectStmt), partsOf(list(Object(alias).colnames)))
      return this.#generated
    }
    if (RangeFunction) return this.#rangeFunction(RangeFunction)
    this.of(node)
    return 1
  }

  #rangeFunction({ functions, alias }: Fields): number {
    let rows = 1
    const { aliasname, colnames } = Object(alias)
    for (const one of list(functions)) {
      const [call] = list(Object(Object(one).List).items)
      const size = this.of(call)
      for (const name of [aliasname, ...partsOf(list(colnames))]) if (name) this.#define(name, size)
      rows = Math.max(rows, this.#seriesOf(Object(Object(call).FuncCall)))
    }
    return rows
  }

  /** How many rows `generate_series` of constants makes. */
  #seriesOf({ funcname, args }: Fields): number {
    if (partsOf(list(funcname)).at(-1) !== 'generate_series') return 1
    const [from = Number.NaN, to = Number.NaN, step = 1] = list(args).map((one) =>
      Number(this.#textOf(one) ?? Number.NaN),
    )
    const rows = Math.abs(to - from) / Math.max(Math.abs(step), 1e-9)
    return Number.isNaN(rows) ? 1 : Math.max(1, rows)
  }

  #define(name: string | undefined, size: Size): void {
    if (!name) return
    const known = this.#names.get(name)
    const next = known ? both([known, size]) : size
    if (known && known.bytes === next.bytes && known.max === next.max) return
    this.#names.set(name, next)
    this.hasChanged = true
  }
}

/** Aggregates whose value grows with their rows. */
const GATHERING = /^(string_agg|array_agg|(json|jsonb)_(agg|object_agg)\w*|xmlagg|array_agg_array)$/

const list = (value: unknown): readonly Node[] => (Array.isArray(value) ? value : [])

function textOfConstant(fields: Fields): string | null {
  const { sval, ival, fval, boolval, bsval } = fields
  if (sval) return String(Object(sval).sval ?? '')
  if (ival) return String(Object(ival).ival ?? 0)
  if (fval) return String(Object(fval).fval ?? '')
  if (bsval) return String(Object(bsval).bsval ?? '')
  return boolval ? 't' : null
}

const ofConstant = (fields: Fields): Size => constant(textOfConstant(fields) ?? '0')

const ofLimit = (value: string | null): Size =>
  value === null ? number(Number.POSITIVE_INFINITY) : constant(value)

const lengthsOf = (typmods: unknown): number[] =>
  list(typmods).map((one) => Number(textOfConstant(Object(Object(one).A_Const)) ?? 0))

/** A column without an AS is named by its function or column. */
function nameOf(value: unknown): string | undefined {
  const { ColumnRef, FuncCall, TypeCast } = Object(value)
  if (TypeCast) return nameOf(TypeCast.arg)
  return partsOf(list(ColumnRef?.fields ?? FuncCall?.funcname)).at(-1)
}

function checked(size: Size): Size {
  if (size.bytes > MAX_BYTES) throw tooLarge()
  return size
}

const tooLarge = (): Refusal =>
  new Refusal(
    'value_size',
    'a value in it may come to more than 1 MB',
    'Repeat, pad and join less; where a column says how often, write least(n, 1000).',
  )
