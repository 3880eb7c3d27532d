import { type AnyNode, type Kind, type Node, type ScriptStatement, untag } from '../syntax.js'
import { option, partsOf } from '../tree.js'
import { Refusal } from './refusal.js'
import { type NameUse, shownName, type Uses } from './uses.js'

/** Levels of a syntax tree; PostgreSQL's own limit depends on its stack and lies in the thousands. */
const MAX_DEPTH = 200

/** What reads, and what only stands inside of it. Whatever is not here is refused. */
const READING: ReadonlySet<string> = new Set<Kind>([
  ...(['SelectStmt', 'ResTarget', 'ColumnRef', 'A_Star', 'A_Const', 'A_Expr', 'BoolExpr'] as const),
  ...(['NullTest', 'BooleanTest', 'CaseExpr', 'CaseWhen', 'CoalesceExpr', 'MinMaxExpr'] as const),
  ...(['FuncCall', 'NamedArgExpr', 'TypeCast', 'TypeName', 'SubLink', 'RangeVar'] as const),
  ...([
    'RangeSubselect',
    'RangeFunction',
    'JoinExpr',
    'RangeTableSample',
    'RangeTableFunc',
  ] as const),
  ...(['RangeTableFuncCol', 'CommonTableExpr', 'SortBy', 'WindowDef', 'GroupingSet'] as const),
  ...(['GroupingFunc', 'A_ArrayExpr', 'A_Indirection', 'A_Indices', 'RowExpr', 'List'] as const),
  ...(['String', 'Integer', 'Float', 'Boolean', 'BitString', 'ParamRef', 'CollateClause'] as const),
  ...([
    'SQLValueFunction',
    'XmlExpr',
    'XmlSerialize',
    'ColumnDef',
    'JsonObjectConstructor',
  ] as const),
  ...([
    'JsonArrayConstructor',
    'JsonArrayQueryConstructor',
    'JsonObjectAgg',
    'JsonArrayAgg',
  ] as const),
  ...([
    'JsonKeyValue',
    'JsonValueExpr',
    'JsonIsPredicate',
    'JsonParseExpr',
    'JsonScalarExpr',
  ] as const),
  ...(['JsonSerializeExpr', 'JsonFuncExpr', 'JsonBehavior', 'JsonArgument', 'JsonTable'] as const),
  ...([
    'JsonTableColumn',
    'JsonTablePathSpec',
    'JsonOutput',
    'JsonReturning',
    'JsonFormat',
  ] as const),
])

/** Fields under which the parser writes a node without its kind, and the kind where that matters. */
const UNTAGGED: Readonly<Record<string, string>> = {
  larg: 'SelectStmt',
  rarg: 'SelectStmt',
  typeName: 'TypeName',
  over: 'WindowDef',
  func: 'FuncCall',
  alias: 'Alias',
  join_using_alias: 'Alias',
  collClause: 'CollateClause',
  search_clause: 'CTESearchClause',
  cycle_clause: 'CTECycleClause',
  context_item: 'JsonValueExpr',
  formatted_expr: 'JsonValueExpr',
  pathspec: 'JsonTablePathSpec',
  format: 'JsonFormat',
  returning: 'JsonReturning',
  output: 'JsonOutput',
  on_empty: 'JsonBehavior',
  on_error: 'JsonBehavior',
  constructor: 'JsonAggConstructor',
  arg: 'JsonKeyValue',
  expr: 'JsonValueExpr',
  value: 'JsonValueExpr',
  val: 'JsonValueExpr',
}

/** Fields that only name something, which is looked at where it stands. */
const NAMES = new Set(['funcname', 'operName', 'useOp', 'collname', 'names', 'method', 'fields'])

/** What an EXPLAIN may be told; ANALYZE would run the statement. */
const EXPLAIN_OPTIONS = [
  'format',
  'verbose',
  'costs',
  'settings',
  'summary',
  'generic_plan',
  'memory',
]

interface Scope {
  /** Names that lead to a WITH of this statement. */
  readonly ctes: ReadonlySet<string>
  /** How many rows a recursion here may come to is limited further out. */
  readonly isLimited: boolean
}

type Fields = Readonly<Record<string, unknown>>

/**
 * Looks at every part of one statement: that it only reads, and what it names. By default everything is
 * refused; nothing here believes what a text looks like, for it was read by PostgreSQL's own parser.
 *
 * @throws Refusal naming the rule
 */
export function walkSelect(statement: ScriptStatement): Uses {
  const uses: Uses = {
    functions: [],
    operators: [],
    relations: [],
    types: [],
    fields: [],
    parameters: 0,
  }
  new Walk(uses).enter(selectOf(statement), { ctes: new Set(), isLimited: false }, 1)
  return uses
}

/** The SELECT that a statement is, or that it explains. */
export function selectOf(statement: ScriptStatement): AnyNode {
  if (statement.kind !== 'ExplainStmt') return readingOnly(statement)
  for (const one of statement.node.options ?? []) {
    const { defname = '' } = untag(one).node as { defname?: string }
    if (EXPLAIN_OPTIONS.includes(defname)) continue
    const { arg } = option([one], defname) ?? {}
    const word = arg ? Object.values(Object(untag(arg).node))[0] : undefined
    if (['false', 'off', '0', 0].some((off) => off === word)) continue
    throw new Refusal(
      'explain_runs_nothing',
      `EXPLAIN (${shownName([defname])}) is not allowed here`,
      'Leave it out, or call analyze_query, which measures what is proven to read only.',
    )
  }
  return readingOnly(untag(statement.node.query ?? { List: {} }))
}

function readingOnly(node: AnyNode): AnyNode {
  if (node.kind === 'SelectStmt') return node
  throw new Refusal(
    'select_only',
    `${words(node.kind)} is not a SELECT`,
    'Send one SELECT, VALUES, TABLE or WITH … SELECT. Changes go through the persisting tools and migrations.',
  )
}

/** `CreateTableAsStmt` as `CREATE TABLE AS`. */
const words = (kind: string): string =>
  kind
    .replace(/Stmt$/, '')
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ')
    .toUpperCase()

class Walk {
  readonly #uses: Uses

  constructor(uses: Uses) {
    this.#uses = uses
  }

  enter({ kind, node }: AnyNode, scope: Scope, depth: number): void {
    if (depth > MAX_DEPTH) {
      throw new Refusal(
        'depth',
        `it is nested deeper than ${MAX_DEPTH} levels`,
        'Write it flatter: IN (…) or = ANY(array) instead of chains, WITH instead of nested queries.',
      )
    }
    const fields: Fields = Object(node)
    switch (kind) {
      case 'SelectStmt':
        return this.#select(fields, scope, depth)
      case 'RangeVar':
        return this.#relation(fields, scope)
      case 'A_Const':
        return
      case 'ParamRef':
        this.#uses.parameters = Math.max(this.#uses.parameters, Number(fields.number ?? 0))
        return
      case 'TypeName':
        this.#type(fields)
        break
      case 'FuncCall':
        this.#function(fields)
        break
      case 'A_Expr':
        this.#uses.operators.push(strings(fields.name))
        break
      case 'SubLink':
        if (fields.operName) this.#uses.operators.push(strings(fields.operName))
        break
      case 'SortBy':
        if (fields.useOp) this.#uses.operators.push(strings(fields.useOp))
        break
      case 'ColumnRef':
        this.#field(strings(fields.fields).slice(1).at(-1))
        break
      case 'A_Indirection':
        for (const name of strings(fields.indirection)) this.#field(name)
        break
      case 'RangeTableSample':
        refuseSampling(strings(fields.method))
        break
    }
    this.#children(kind, fields, scope, depth)
  }

  #children(kind: string, fields: Fields, scope: Scope, depth: number): void {
    for (const [field, value] of Object.entries(fields)) {
      if (typeof value !== 'object' || value === null || NAMES.has(field)) continue
      // The name of an operator; elsewhere a field of this name holds text.
      if (kind === 'A_Expr' && field === 'name') continue
      for (const child of Array.isArray(value) ? value : [value]) {
        this.enter(nodeOf(field, child), scope, depth + 1)
      }
    }
  }

  #select(fields: Fields, scope: Scope, depth: number): void {
    const { withClause, intoClause, lockingClause, ...rest } = fields
    if (intoClause) {
      throw new Refusal('no_into', 'SELECT INTO makes a table', 'Leave INTO out.')
    }
    if (lockingClause) {
      throw new Refusal('no_locking', 'FOR UPDATE and FOR SHARE lock rows', 'Leave it out.')
    }
    const isLimited = scope.isLimited || isLimit(fields)
    const inner = withClause
      ? this.#with(Object(withClause), { ...scope, isLimited }, depth)
      : scope
    this.#children('SelectStmt', rest, { ...inner, isLimited }, depth)
  }

  /** The scope of what follows a WITH. */
  #with({ ctes = [], recursive }: WithClause, scope: Scope, depth: number): Scope {
    const all = ctes.map((one) => Object(untag(one).node) as Cte)
    const names = all.map(({ ctename = '' }) => ctename)
    const seen = new Set(recursive ? [...scope.ctes, ...names] : scope.ctes)
    for (const { ctename = '', ctequery, ...rest } of all) {
      const query = untag(ctequery ?? { List: {} })
      if (query.kind !== 'SelectStmt') {
        throw new Refusal(
          'no_data_changing_cte',
          `WITH ${shownName([ctename])} is ${words(query.kind)}, which changes data`,
          'Use SELECT in every WITH.',
        )
      }
      const own = { ...scope, ctes: seen }
      if (recursive && mentions(query.node, ctename) && !isBounded(Object(query.node), scope)) {
        throw new Refusal(
          'recursive_needs_limit',
          `WITH RECURSIVE ${shownName([ctename])} has no LIMIT`,
          'Add LIMIT n to the recursive query or to the statement: a recursion over a cycle would not end.',
        )
      }
      this.enter(query, own, depth + 1)
      this.#children('CommonTableExpr', rest, own, depth)
      if (!recursive) seen.add(ctename)
    }
    return { ...scope, ctes: new Set([...scope.ctes, ...names]) }
  }

  #relation({ catalogname, schemaname, relname, location }: Fields, scope: Scope): void {
    if (catalogname) {
      throw new Refusal(
        'other_database',
        'it names a database',
        'Write schema.table: this database only.',
      )
    }
    const name = String(relname ?? '')
    if (!schemaname && scope.ctes.has(name)) return
    this.#uses.relations.push(place(schemaname, name, location))
  }

  #type({ names, pct_type, location }: Fields): void {
    const parts = strings(names)
    if (pct_type || parts.length > 2) {
      throw new Refusal(
        'type',
        `the type ${shownName(parts)} is named in a way that is not allowed`,
        'Write its plain name.',
      )
    }
    const [name = '', schema = null] = parts.toReversed()
    this.#uses.types.push(place(schema, name, location))
  }

  #function({ funcname, args, agg_order, agg_within_group, func_variadic }: Fields): void {
    const parts = strings(funcname)
    const [name = '', schema = 'pg_catalog'] = parts.toReversed()
    // Where there is no such function, PostgreSQL takes it for a cast to a type of that name.
    if (schema !== 'pg_catalog') this.#uses.types.push({ schema, name, location: 0 })
    const direct = Array.isArray(args) ? args.length : 0
    const ordered = agg_within_group && Array.isArray(agg_order) ? agg_order.length : 0
    this.#uses.functions.push({
      name: parts,
      args: direct + ordered,
      isVariadic: func_variadic === true,
    })
  }

  #field(name: string | undefined): void {
    if (name !== undefined) this.#uses.fields.push(name)
  }
}

interface WithClause {
  readonly ctes?: readonly Node[]
  readonly recursive?: boolean
}

interface Cte extends Fields {
  readonly ctename?: string
  readonly ctequery?: Node
}

const place = (schema: unknown, name: string, location: unknown): NameUse => ({
  schema: typeof schema === 'string' && schema !== '' ? schema : null,
  name,
  // The parser leaves a zero out.
  location: typeof location === 'number' ? location : 0,
})

const strings = (nodes: unknown): string[] => partsOf(Array.isArray(nodes) ? nodes : [])

/** A child as the parser wrote it: with its kind, or under a field that says it. */
function nodeOf(field: string, child: unknown): AnyNode {
  const keys = Object.keys(Object(child))
  const [kind = ''] = keys
  const isTagged = keys.length === 1 && /^[A-Z]/.test(kind)
  if (isTagged && READING.has(kind)) return untag(child as Node)
  const known = isTagged ? undefined : UNTAGGED[field]
  // An empty list has no kind and nothing inside.
  if (known ?? keys.length === 0) return { kind: known ?? 'List', node: child } as AnyNode
  throw new Refusal(
    'unknown_syntax',
    `${isTagged ? words(kind) : shownName([field])} is not among what a query may be made of`,
    'Write the query with plain SELECT syntax.',
  )
}

const isLimit = ({ limitCount }: Fields): boolean => {
  const value = Object(limitCount)
  return limitCount !== undefined && !Object(value.A_Const).isnull
}

/** A recursion ends where the query around it, itself or one of its terms has a LIMIT. */
const isBounded = (query: Fields, scope: Scope): boolean =>
  scope.isLimited ||
  isLimit(query) ||
  [query.larg, query.rarg].some((term) => term !== undefined && isBounded(Object(term), scope))

/** Whether a query reads from that name anywhere. */
function mentions(query: object, name: string): boolean {
  const waiting: unknown[] = [query]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null) continue
    const { schemaname, relname } = value as Fields
    if (relname === name && !schemaname) return true
    waiting.push(...Object.values(value))
  }
  return false
}

function refuseSampling(method: readonly string[]): void {
  const [name = '', schema = 'pg_catalog'] = method.toReversed()
  if (schema === 'pg_catalog' && ['bernoulli', 'system'].includes(name)) return
  throw new Refusal(
    'sampling',
    `TABLESAMPLE ${shownName(method)} is code of an extension`,
    'Use bernoulli or system.',
  )
}
