import fc from 'fast-check'

/** A step of a random script, about one of the tables that were there or of those it makes. */
export interface Statement {
  readonly kind: (typeof KINDS)[number]
  readonly table: number
  /** How many rows, or which column. */
  readonly n: number
  /** Where no text of a statement tells what it does. */
  readonly isHidden: boolean
}

const KINDS = [
  'add column',
  'fill new column',
  'fill nulls',
  'overwrite',
  'delete',
  'insert',
  'truncate',
  'drop column',
  'drop table',
  'rename table',
  'rename column',
  'change type',
  'open',
  'index',
  'check',
  'comment',
  'make and empty a table',
] as const

const TABLES = 3
const ROWS = 6

/** Random steps; fewer of them, on earlier tables, are simpler. */
export const statements: fc.Arbitrary<Statement> = fc.record({
  kind: fc.constantFrom(...KINDS),
  table: fc.nat(TABLES - 1),
  n: fc.nat(ROWS + 2),
  isHidden: fc.boolean(),
})

/** A table that was there before: `id` 1 to ROWS, `note` of every second row. */
class Table {
  readonly before: string
  name: string
  isThere = true
  ids = Array.from({ length: ROWS }, (_, i) => i + 1)
  nulls = new Set(this.ids.filter((id) => id % 2 === 0))
  next = ROWS + 1
  note: string | null = 'note'
  readonly added = new Set<number>()
  deleted = 0
  overwritten = 0
  isTyped = false
  isOpen = false
  /** Null as long as it has the storage that it had. */
  storage: 'emptied' | 'written anew' | null = null
  readonly made = new Set<string>()

  constructor(name: string) {
    this.before = name
    this.name = name
  }
}

/** What a script of these steps would lose, kept in step with the text of its statements. */
export class Model {
  readonly world: string
  readonly #schema: string
  readonly #tables: readonly Table[]
  #made = 0

  constructor(schema: string) {
    this.#schema = schema
    this.#tables = Array.from({ length: TABLES }, (_, i) => new Table(`t${i}`))
    const tables = this.#tables.map(
      ({ name }) => `create table ${schema}.${name} (id int, note text);
        insert into ${schema}.${name}
        select n, case when n % 2 = 1 then 'note' end from generate_series(1, ${ROWS}) as n`,
    )
    this.world = [`create schema ${schema}`, ...tables].join(';')
  }

  /** The statement as SQL; none where the script has taken away what it needs. */
  apply(statement: Statement): string[] {
    const table = this.#tables[statement.table]
    if (!table?.isThere) return []
    const text = this.#textOf(table, `${this.#schema}.${table.name}`, statement)
    if (text === null) return []
    return [statement.isHidden ? `do $do$ begin ${text}; end $do$` : text]
  }

  /** Object, what became of it, and how many rows, of everything lost. */
  losses(): string[] {
    return this.#tables.flatMap((table) => {
      const losses = lossesOf(table, `${this.#schema}.${table.before}`)
      // What is new has the name that the table has by then.
      const given = `the right SELECT on ${this.#schema}.${table.name} to PUBLIC given -`
      return table.isThere && table.isOpen ? [...losses, given] : losses
    })
  }

  #textOf(table: Table, name: string, { kind, n, isHidden }: Statement): string | null {
    const key = `${kind} ${n}`
    switch (kind) {
      case 'add column':
        if (table.added.has(n)) return null
        table.added.add(n)
        return `alter table ${name} add column c${n} int`
      case 'fill new column':
        if (!table.added.has(n) || table.storage !== null) return null
        if (isHidden) table.overwritten += table.ids.length
        return `update ${name} set c${n} = id`
      case 'fill nulls': {
        if (table.note === null || table.storage !== null) return null
        const filled = table.ids.filter((id) => table.nulls.has(id))
        if (isHidden) table.overwritten += filled.length
        table.nulls.clear()
        return `update ${name} set ${table.note} = 'filled' where ${table.note} is null`
      }
      case 'overwrite':
        if (table.storage !== null) return null
        table.overwritten += table.ids.filter((id) => id <= n).length
        return `update ${name} set id = id where id <= ${n}`
      case 'delete': {
        const kept = table.ids.filter((id) => id > n)
        table.deleted += table.ids.length - kept.length
        table.ids = kept
        return `delete from ${name} where id <= ${n}`
      }
      case 'insert': {
        const id = table.next++
        table.ids.push(id)
        table.nulls.add(id)
        if (table.storage === 'emptied') table.storage = 'written anew'
        return `insert into ${name} (id) values (${id})`
      }
      case 'truncate':
        table.ids = []
        // What was counted before is not counted any more: all of it is gone.
        table.deleted = 0
        table.overwritten = 0
        table.storage = 'emptied'
        return `truncate ${name}`
      case 'drop column': {
        if (table.note === null) return null
        const note = table.note
        table.note = null
        return `alter table ${name} drop column ${note}`
      }
      case 'drop table':
        table.isThere = false
        return `drop table ${name}`
      case 'rename table':
        table.name = `${table.before}_${n}`
        return name.endsWith(`.${table.name}`)
          ? null
          : `alter table ${name} rename to ${table.name}`
      case 'rename column': {
        const note = table.note
        if (note === null || note === `note_${n}`) return null
        table.note = `note_${n}`
        return `alter table ${name} rename column ${note} to note_${n}`
      }
      case 'change type':
        if (table.note === null || table.isTyped) return null
        table.isTyped = true
        table.storage = table.ids.length > 0 ? 'written anew' : 'emptied'
        return `alter table ${name} alter column ${table.note} type varchar(99)`
      case 'open':
        table.isOpen = true
        return `grant select on ${name} to public`
      case 'index':
      case 'check': {
        if (table.made.has(key)) return null
        table.made.add(key)
        return kind === 'index'
          ? `create index on ${name} (id)`
          : `alter table ${name} add constraint k_${n} check (id > 0) not valid`
      }
      case 'comment':
        return `comment on table ${name} is 'number ${n}'`
      case 'make and empty a table': {
        const made = `${this.#schema}.made_${this.#made++}`
        return `create table ${made} as select * from ${name}; update ${made} set id = 0; delete from ${made}; drop table ${made}`
      }
    }
  }
}

function lossesOf(table: Table, name: string): string[] {
  if (!table.isThere) return [`table ${name} dropped ${ROWS}`]
  const found: string[] = []
  if (table.deleted > 0) found.push(`${name} rows deleted ${table.deleted}`)
  if (table.overwritten > 0) found.push(`${name} rows overwritten ${table.overwritten}`)
  if (table.storage) found.push(`table ${name} ${table.storage} ${ROWS}`)
  if (table.name !== table.before) found.push(`table ${name} renamed -`)
  if (table.note === null) return [...found, `column note of ${name} dropped ${ROWS / 2}`]
  if (table.note !== 'note') found.push(`column note of ${name} renamed -`)
  if (table.isTyped) found.push(`column note of ${name} changed to another type -`)
  return found
}
