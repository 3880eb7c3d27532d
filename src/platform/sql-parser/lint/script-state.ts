import { holdsUpWrites, locksOf } from '../locks.js'
import { bodies, body, type RangeVar, type ScriptStatement } from '../syntax.js'
import {
  type Alteration,
  addedConstraints,
  alterations,
  dropped,
  keyOf,
  nodesIn,
  notNullColumn,
  quoted,
  type RelationName,
  shown,
  TEMPORARY,
} from '../tree.js'

/** What is known of a relation: of an index, its table's figures. */
export interface RelationSize {
  readonly rows: number
  readonly bytes: number
  readonly not_null_checks?: readonly NotNullCheck[]
}

/** A check that says no more than that one column is not null. */
interface NotNullCheck {
  readonly name: string
  readonly column: string
  readonly is_valid: boolean
}

/** What a script is judged with. */
export interface LintContext {
  /** Rules that the file allows, each with its reason. */
  readonly allow: ReadonlyMap<string, string>
  /** The whole script is one transaction. */
  readonly isTransactional: boolean
  readonly hasDown: boolean
  /** The settings that no script may change. */
  readonly pinned: ReadonlySet<string>
  /** By `schema.name`, unquoted; null when there is no database to ask. */
  readonly tables: ReadonlyMap<string, RelationSize> | null
}

/** One thing that a rule found in a statement. */
export interface Hit {
  /** What it is about, ready to print: a table, a column, a role. */
  readonly subject: string
  /** The existing relations whose locks make it bad; none when locks are not the reason. */
  readonly on: readonly RelationName[]
}

/** Below both, a lock is held for milliseconds. */
const SMALL_ROWS = 10_000
const SMALL_BYTES = 10 * 1024 * 1024

/** What the statements before the one being judged have done. */
export class ScriptState {
  readonly context: LintContext
  readonly #created = new Set<string>()
  /** Existing relations that the transaction has locked against everybody. */
  readonly exclusive = new Set<string>()
  /** Existing relations whose writers the transaction keeps waiting. */
  readonly held = new Set<string>()
  readonly #checks = new Map<string, readonly NotNullCheck[]>()
  #schema = 'public'

  constructor(context: LintContext) {
    this.context = context
  }

  /** The relation that a name means: a temporary one first, else in the schema in force. */
  resolve({ schemaname, relname = '' }: RangeVar): RelationName {
    if (schemaname) return { schema: schemaname, name: relname }
    const temporary = { schema: TEMPORARY, name: relname }
    return this.isNew(temporary) ? temporary : { schema: this.#schema, name: relname }
  }

  /** Whether this script made it, so that nobody else knows it yet. */
  isNew(relation: RelationName): boolean {
    return this.#created.has(keyOf(relation))
  }

  /** Whether it is new, or known to be so small that a scan of it takes milliseconds. */
  isSmall(relation: RelationName): boolean {
    const size = this.context.tables?.get(keyOf(relation))
    return this.isNew(relation) || (!!size && size.rows < SMALL_ROWS && size.bytes < SMALL_BYTES)
  }

  /** A finding about a relation, or about a column or constraint of one. */
  hit(relation: RangeVar | undefined, part?: string): Hit {
    const name = this.resolve(relation ?? {})
    return { subject: part ? `${shown(name)}.${quoted(part)}` : shown(name), on: [name] }
  }

  /** A finding about what an ALTER TABLE changes. */
  readonly commandHit = ({ table, command }: Alteration): Hit => this.hit(table, command.name)

  /** Whether a validated check says of this very column that it has no null. */
  isKnownNotNull(table: RangeVar, column: string | undefined): boolean {
    const checks = this.#checksOf(keyOf(this.resolve(table)))
    return checks.some((check) => check.column === column && check.is_valid)
  }

  /** Takes notice of what a statement does to names. */
  advance(statement: ScriptStatement): void {
    for (const { relation, mode } of locksOf(statement)) {
      const name = this.resolve(relation)
      if (this.isNew(name)) continue
      if (mode === 'ACCESS EXCLUSIVE') this.exclusive.add(keyOf(name))
      if (holdsUpWrites(mode)) this.held.add(keyOf(name))
    }
    this.#checked(statement)
    for (const relation of created(statement)) {
      const key = keyOf(this.#placed(relation))
      // What the database has already is not made by an IF NOT EXISTS.
      if (!this.context.tables?.has(key)) this.#created.add(key)
    }
    for (const relation of dropped(statement, ...WITH_ROWS)) {
      this.#created.delete(keyOf(this.resolve(relation)))
    }
    this.#renamed(statement)
    this.#schema = searchedFirst(statement) ?? this.#schema
  }

  #checksOf(key: string): readonly NotNullCheck[] {
    return this.#checks.get(key) ?? this.context.tables?.get(key)?.not_null_checks ?? []
  }

  #checked(statement: ScriptStatement): void {
    const change = (
      table: RangeVar,
      to: (checks: readonly NotNullCheck[]) => readonly NotNullCheck[],
    ): void => {
      const key = keyOf(this.resolve(table))
      this.#checks.set(key, to(this.#checksOf(key)))
    }
    for (const { table, constraint } of addedConstraints(statement)) {
      const column = notNullColumn(constraint)
      const { conname: name = '', skip_validation: isOpen = false } = constraint
      if (column) change(table, (all) => [...all, { name, column, is_valid: !isOpen }])
    }
    for (const { table, command } of alterations(statement, 'AT_ValidateConstraint')) {
      change(table, (all) =>
        all.map((one) => (one.name === command.name ? { ...one, is_valid: true } : one)),
      )
    }
    for (const { table, command } of alterations(statement, 'AT_DropConstraint')) {
      change(table, (all) => all.filter(({ name }) => name !== command.name))
    }
  }

  #placed({ schemaname, relname = '', relpersistence }: RangeVar): RelationName {
    const schema = relpersistence === 't' ? TEMPORARY : (schemaname ?? this.#schema)
    return { schema, name: relname }
  }

  #renamed({ kind, node }: ScriptStatement): void {
    if (kind !== 'RenameStmt' || node.renameType !== 'OBJECT_TABLE' || !node.relation) return
    const { schema, name } = this.resolve(node.relation)
    if (!this.#created.delete(keyOf({ schema, name }))) return
    this.#created.add(keyOf({ schema, name: node.newname ?? '' }))
  }
}

/** What has rows, or is as large as what has them. */
const WITH_ROWS = ['OBJECT_TABLE', 'OBJECT_INDEX', 'OBJECT_MATVIEW']

const NOTHING_KNOWN: LintContext = {
  allow: new Map(),
  isTransactional: true,
  hasDown: true,
  pinned: new Set(),
  tables: null,
}

/**
 * The tables and indexes that a script names and did not make, whose sizes are to be looked up, and those
 * that it makes: empty, when a later script of the same run is judged.
 */
export function relationsOf(statements: readonly ScriptStatement[]): {
  readonly named: readonly RelationName[]
  readonly made: readonly RelationName[]
} {
  const script = new ScriptState(NOTHING_KNOWN)
  const named = new Map<string, RelationName>()
  const made: RelationName[] = []
  for (const statement of statements) {
    for (const range of rangesOf(statement)) {
      const relation = script.resolve(range)
      if (relation.name && !script.isNew(relation)) named.set(keyOf(relation), relation)
    }
    script.advance(statement)
    made.push(...created(statement).map((range) => script.resolve(range)))
  }
  return { named: [...named.values()], made: made.filter((relation) => script.isNew(relation)) }
}

/** Relations are nodes of their own in lists, and plain fields elsewhere. */
function rangesOf(statement: ScriptStatement): RangeVar[] {
  const inside = nodesIn(statement).flatMap(({ kind, node }) => {
    if (kind === 'RangeVar') return node
    if (kind === 'Constraint') return node.pktable ?? []
    return 'relation' in node && node.relation && 'relname' in node.relation ? node.relation : []
  })
  return [...inside, ...dropped(statement, ...WITH_ROWS)]
}

/** What a statement makes that holds rows. */
function created({ kind, node }: ScriptStatement): RangeVar[] {
  switch (kind) {
    case 'CreateStmt':
      return [node.relation ?? []].flat()
    case 'CreateTableAsStmt':
      return [node.into?.rel ?? []].flat()
    case 'SelectStmt':
      return [node.intoClause?.rel ?? []].flat()
    case 'IndexStmt': {
      const { schemaname } = node.relation ?? {}
      if (!node.idxname) return []
      return [{ relname: node.idxname, ...(schemaname ? { schemaname } : {}) }]
    }
    default:
      return []
  }
}

function searchedFirst({ kind, node }: ScriptStatement): string | null {
  if (kind !== 'VariableSetStmt' || node.name !== 'search_path') return null
  const [first] = bodies(node.args, 'A_Const')
  return first?.sval?.sval ?? body(node.args?.[0], 'String')?.sval ?? null
}
