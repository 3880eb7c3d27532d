declare const row: unique symbol

/** SQL text with its parameters. `Row` is the shape of one result row: column aliases are field names. */
export class Statement<Row> {
  readonly text: string
  /** The text around its parameters: one more than there are of those. */
  readonly strings: readonly string[]
  readonly values: readonly unknown[]
  /** Set for hot statements: each connection then parses and plans them once. */
  readonly name: string | undefined
  declare readonly [row]: Row

  constructor(strings: readonly string[], values: readonly unknown[], name?: string) {
    this.text = strings.reduce((text, string, at) => `${text}$${at}${string}`)
    this.strings = strings
    this.values = values
    this.name = name
  }
}

class Identifier {
  readonly quoted: string
  constructor(name: string) {
    this.quoted = `"${name.replaceAll('"', '""')}"`
  }
}

/**
 * The only way SQL is written: `${value}` becomes a parameter, never text. Identifiers go through
 * `sql.id`; a nested statement is spliced in with its parameters.
 */
export function sql<Row = never>(
  strings: TemplateStringsArray,
  ...parts: readonly unknown[]
): Statement<Row> {
  const values: unknown[] = []
  const around: string[] = []
  let text = strings[0] ?? ''
  parts.forEach((part, index) => {
    if (part instanceof Identifier) text += part.quoted
    else if (part instanceof Statement) {
      // A name may have anything in it, also what looks like a parameter: only what is around them is joined.
      const [first = '', ...others] = part.strings
      const last = others.pop()
      around.push(...(last === undefined ? [] : [text + first, ...others]))
      text = last === undefined ? text + first : last
      values.push(...part.values)
    } else {
      around.push(text)
      values.push(part)
      text = ''
    }
    text += strings[index + 1]
  })
  return new Statement<Row>([...around, text], values)
}

/** A quoted identifier, for names that cannot be parameters. */
sql.id = (name: string): unknown => new Identifier(name)

/** Text trusted as it stands: keywords and statements of this repository, never anything received. */
sql.trusted = (text: string): Statement<never> => new Statement([text], [])

/** The same statement, prepared once per connection under `name`. */
export const prepared = <Row>(name: string, statement: Statement<Row>): Statement<Row> =>
  new Statement<Row>(statement.strings, statement.values, name)

/** A statement that is prepared only where `when` holds: elsewhere a plan made once would not fit. */
export const preparedIf = <Row>(
  when: boolean,
  name: string,
  statement: Statement<Row>,
): Statement<Row> => (when ? prepared(name, statement) : statement)

/**
 * A statement of the server's own looking and housekeeping: it says so in its text, after its first word, where
 * every version of PostgreSQL keeps comments. Among the slow statements of the database it does not belong.
 */
export const machinery = <Row>({ strings, values, name }: Statement<Row>): Statement<Row> => {
  const [first = '', ...others] = strings
  return new Statement<Row>([first.replace(/\w+/, `$& ${OF_MACHINERY}`), ...others], values, name)
}

/** `sql` for files of nothing but such statements. */
export const machinerySql = Object.assign(
  <Row = never>(strings: TemplateStringsArray, ...parts: readonly unknown[]): Statement<Row> =>
    machinery(sql<Row>(strings, ...parts)),
  { id: sql.id, trusted: sql.trusted },
)

/** How `machinery` marks a statement. */
export const OF_MACHINERY = '/* catalyst */'
