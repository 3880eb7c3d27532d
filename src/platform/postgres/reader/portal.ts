import type pg from 'pg'

/** One column of an answer. */
export interface Column {
  readonly name: string
  /** Oid of its type. */
  readonly type: number
  /** Such as the digits of a numeric; -1 without. */
  readonly modifier: number
}

/** Where rows stop coming. */
export interface RowLimits {
  readonly rows: number
  readonly bytes: number
}

/** Rows as PostgreSQL writes them. */
export interface Rows {
  readonly rows: readonly (readonly (string | null)[])[]
  /** There was more. */
  readonly isCut: boolean
}

/** A row that is not shown, for it alone is more than an answer may have. */
export class RowTooLarge extends Error {}

interface Field {
  readonly name: string
  readonly dataTypeID: number
  readonly dataTypeModifier: number
}

/** More than this comes only where single rows are larger than an answer may be. */
const SLACK = 4

/** Messages of one exchange with the server, for the driver to send and to be answered by. */
abstract class Request<T> {
  readonly done: Promise<T>
  protected resolve: (value: T) => void = () => {}
  protected reject: (error: unknown) => void = () => {}
  #failure: { readonly error: unknown } | null = null

  constructor() {
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
  }

  abstract submit(connection: pg.Connection): void
  protected abstract get answer(): T

  /** The driver's messages, by the names it calls. */
  handleRowDescription(_message: { fields: Field[] }): void {}
  handleDataRow(_message: { fields: (string | null)[] }): void {}
  handlePortalSuspended(): void {}
  handleCommandComplete(): void {}
  handleEmptyQuery(): void {}

  handleError(error: unknown): void {
    this.#failure ??= { error }
    // After an error of the connection nothing more comes; after one of the server it says so.
    this.reject(error)
  }

  handleReadyForQuery(): void {
    if (!this.#failure) this.resolve(this.answer)
  }
}

/** Parses a statement and says what its columns are. */
export class PrepareRequest extends Request<readonly Column[]> {
  readonly #name: string
  readonly #text: string
  #columns: readonly Column[] = []

  /** @param name of the statement, which `discard all` forgets */
  constructor(name: string, text: string) {
    super()
    this.#name = name
    this.#text = text
  }

  submit(connection: pg.Connection): void {
    connection.parse({ name: this.#name, text: this.#text, types: [] }, true)
    connection.describe({ type: 'S', name: this.#name }, true)
    connection.sync()
  }

  override handleRowDescription({ fields }: { fields: Field[] }): void {
    this.#columns = fields.map(({ name, dataTypeID, dataTypeModifier }) => ({
      name,
      type: dataTypeID,
      modifier: dataTypeModifier,
    }))
  }

  protected get answer(): readonly Column[] {
    return this.#columns
  }
}

/** Runs it through a portal that stops at a number of rows. */
export class RunRequest extends Request<Rows> {
  readonly #name: string
  readonly #values: readonly (string | null)[]
  readonly #limits: RowLimits
  readonly #cut: () => void
  readonly #rows: (string | null)[][] = []
  #bytes = 0
  #isCut = false

  /** @param cut ends the connection, where what comes is far too much */
  constructor(
    name: string,
    values: readonly (string | null)[],
    limits: RowLimits,
    cut: () => void,
  ) {
    super()
    this.#name = name
    this.#values = values
    this.#limits = limits
    this.#cut = cut
  }

  submit(connection: pg.Connection): void {
    this.#watch(connection)
    connection.bind({ statement: this.#name, values: [...this.#values] }, true)
    connection.execute({ rows: String(this.#limits.rows + 1) }, true)
    connection.sync()
  }

  override handleDataRow({ fields }: { fields: (string | null)[] }): void {
    if (this.#isCut) return
    const bytes = fields.reduce((all, value) => all + (value?.length ?? 4) + 3, 0)
    this.#isCut = this.#rows.length >= this.#limits.rows || this.#bytes + bytes > this.#limits.bytes
    if (this.#isCut) return
    this.#bytes += bytes
    this.#rows.push(fields)
  }

  override handleError(error: unknown): void {
    // The connection was ended because there was more than enough.
    if (this.#isCut && this.#rows.length > 0) this.resolve(this.answer)
    else super.handleError(this.#isCut ? new RowTooLarge() : error)
  }

  override handleReadyForQuery(): void {
    if (this.#isCut && this.#rows.length === 0) this.reject(new RowTooLarge())
    else super.handleReadyForQuery()
  }

  protected get answer(): Rows {
    return { rows: this.#rows, isCut: this.#isCut }
  }

  /** A row is read as a whole by the driver, however large it is. */
  #watch(connection: pg.Connection): void {
    const { stream } = connection
    let left = this.#limits.bytes * SLACK
    const count = (chunk: Buffer): void => {
      left -= chunk.length
      if (left > 0) return
      stream.off('data', count)
      this.#isCut = true
      this.#cut()
    }
    stream.on('data', count)
    const end = (): unknown => stream.off('data', count)
    this.done.then(end, end)
  }
}
