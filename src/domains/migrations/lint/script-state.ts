import {
  bodies,
  body,
  type RangeVar,
  type ScriptStatement,
} from '../../../platform/sql-parser/syntax.js'
import { holdsUpWrites, locksOf } from './locks.js'
import { keyOf, quoted, type RelationName, shown, TEMPORARY } from './relation-name.js'
import {
  type Alteration,
  addedConstraints,
  alterations,
  dropped,
  type NewColumn,
  notNullColumn,
} from './tree.js'

/** What is known of a relation: of an index, its table's figures. */
export interface RelationSize {
  readonly rows: number
  readonly bytes: number
  /** Its checks that a column is not null. */
  readonly not_null_checks?: readonly NotNullCheck[]
}

/** A check that says no more than that one column is not null. */
export interface NotNullCheck {
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
  /** By `schema.name`, unquoted; null when there is no database to ask. */
  readonly tables: ReadonlyMap<string, RelationSize> | null
  /** One of the product's own migrations, which may change the product's schema. */
  readonly isBuiltIn?: boolean
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
  readonly statements: readonly ScriptStatement[]
  readonly context: LintContext
  readonly #created = new Set<string>()
  readonly #exclusive = new Set<string>()
  readonly #held = new Set<string>()
  readonly #checks = new Map<string, NotNullCheck[]>()
  #schema = 'public'

  constructor(statements: readonly ScriptStatement[], context: LintContext) {
    this.statements = statements
    this.context = context
  }

  /** The relation that a name means: a temporary one first, else in the schema in force. */
  resolve({ schemaname, relname = '' }: RangeVar): RelationName {
    if (schemaname) return { schema: schemaname, name: relname }
    const temporary = { schema: TEMPORARY, name: relname }
    return this.#created.has(keyOf(temporary)) ? temporary : { schema: this.#schema, name: relname }
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

  /** A finding about a new column. */
  readonly columnHit = ({ table, column }: NewColumn): Hit => this.hit(table, column.colname)

  /** A finding about what an ALTER TABLE changes. */
  readonly commandHit = ({ table, command }: Alteration): Hit => this.hit(table, command.name)

  /** Findings about those of some relations that others may use already. */
  existing(relations: readonly RangeVar[]): Hit[] {
    return relations
      .map((relation) => this.hit(relation))
      .filter(({ on }) => !on.some((name) => this.isNew(name)))
  }

  /** Existing relations that the transaction has locked against everybody. */
  get exclusive(): ReadonlySet<string> {
    return this.#exclusive
  }

  /** Existing relations whose writers the transaction keeps waiting. */
  get held(): ReadonlySet<string> {
    return this.#held
  }

  /** Whether a validated check says of this very column that it has no null. */
  isKnownNotNull(table: RangeVar, column: string | undefined): boolean {
    const checks = this.#checksOf(keyOf(this.resolve(table)))
    return checks.some((check) => check.column === column && check.is_valid)
  }

  #checksOf(key: string): readonly NotNullCheck[] {
    return this.#checks.get(key) ?? this.context.tables?.get(key)?.not_null_checks ?? []
  }

  /** Takes notice of what a statement does to names. */
  advance(statement: ScriptStatement): void {
    this.#locked(statement)
    for (const relation of created(statement)) this.#make(keyOf(this.#placed(relation)))
    for (const relation of dropped(statement, 'OBJECT_TABLE', 'OBJECT_INDEX', 'OBJECT_MATVIEW')) {
      this.#created.delete(keyOf(this.resolve(relation)))
    }
    this.#renamed(statement)
    this.#schema = searchedFirst(statement) ?? this.#schema
  }

  #locked(statement: ScriptStatement): void {
    for (const { relation, mode } of locksOf(statement)) {
      const name = this.resolve(relation)
      if (this.isNew(name)) continue
      if (mode === 'ACCESS EXCLUSIVE') this.#exclusive.add(keyOf(name))
      if (holdsUpWrites(mode)) this.#held.add(keyOf(name))
    }
    for (const { table, constraint } of addedConstraints(statement)) {
      const column = notNullColumn(constraint)
      const { conname: name = '', skip_validation: isOpen = false } = constraint
      if (column) this.#check(table, (all) => [...all, { name, column, is_valid: !isOpen }])
    }
    for (const { table, command } of alterations(statement, 'AT_ValidateConstraint')) {
      this.#check(table, (all) =>
        all.map((one) => (one.name === command.name ? { ...one, is_valid: true } : one)),
      )
    }
    for (const { table, command } of alterations(statement, 'AT_DropConstraint')) {
      this.#check(table, (all) => all.filter(({ name }) => name !== command.name))
    }
  }

  #check(
    table: RangeVar,
    change: (checks: readonly NotNullCheck[]) => readonly NotNullCheck[],
  ): void {
    const key = keyOf(this.resolve(table))
    this.#checks.set(key, [...change(this.#checksOf(key))])
  }

  /** What the database has already is not made by an IF NOT EXISTS. */
  #make(key: string): void {
    if (!this.context.tables?.has(key)) this.#created.add(key)
  }

  #placed({ schemaname, relname = '', relpersistence }: RangeVar): RelationName {
    const schema = relpersistence === 't' ? TEMPORARY : (schemaname ?? this.#schema)
    return { schema, name: relname }
  }

  #renamed({ kind, node }: ScriptStatement): void {
    if (kind !== 'RenameStmt' || !node.relation || !node.newname) return
    const { schema } = this.resolve(node.relation)
    const isTable = node.renameType === 'OBJECT_TABLE'
    if (!isTable || !this.#created.delete(keyOf(this.resolve(node.relation)))) return
    this.#created.add(keyOf({ schema, name: node.newname }))
  }
}

/** What a statement makes that holds rows. */
export function created({ kind, node }: ScriptStatement): RangeVar[] {
  const relation = () => {
    if (kind === 'CreateStmt') return node.relation
    if (kind === 'CreateTableAsStmt') return node.into?.rel
    if (kind === 'SelectStmt') return node.intoClause?.rel
    if (kind !== 'IndexStmt' || !node.idxname) return undefined
    const { schemaname } = node.relation ?? {}
    return { relname: node.idxname, ...(schemaname ? { schemaname } : {}) }
  }
  return [relation() ?? []].flat()
}

function searchedFirst({ kind, node }: ScriptStatement): string | null {
  if (kind !== 'VariableSetStmt' || node.name !== 'search_path') return null
  const [first] = bodies(node.args, 'A_Const')
  return first?.sval?.sval ?? body(node.args?.[0], 'String')?.sval ?? null
}
