/** One thing that a script takes away, overwrites or opens, as the server itself says. */
export interface Loss {
  /** What became of it, such as `dropped`; with the object it names the loss. */
  readonly what: string
  readonly object: string
  /** How many rows or values go with it; null where that is not the point. */
  readonly rows: number | null
  /** The rows were too many to be counted one by one. */
  readonly atLeast: boolean
  /** Where the rows are, as long as they are still there. */
  readonly of?: Counted
}

/** A loss that is not about rows. */
export const lossOf = (what: string, object: string): Loss => ({
  what,
  object,
  rows: null,
  atLeast: false,
})

/** A table, or one of its columns, by names that the server has quoted. */
export interface Counted {
  readonly relation: string
  readonly column: string | null
}

const keyOf = ({ what, object }: Loss): string => `${what} ${object}`

/** A loss as a sentence for who has to decide. */
export function sentenceOf({ what, object, rows, atLeast }: Loss): string {
  if (rows === null) return `${object} is ${what}.`
  const count = `${atLeast ? 'more than ' : ''}${rows} ${rows === 1 ? 'row' : 'rows'}`
  if (what.startsWith('rows ')) {
    return `${count} of ${object} ${rows === 1 ? 'is' : 'are'} ${what.slice('rows '.length)}.`
  }
  return `${object} is ${what}, with ${count}.`
}

/** What was not confirmed: other things, or more of them. */
export function beyond(confirmed: readonly Loss[], measured: readonly Loss[]): Loss[] {
  const known = new Map(confirmed.map((loss) => [keyOf(loss), loss]))
  return measured.filter((loss) => {
    const agreed = known.get(keyOf(loss))
    return !agreed || (loss.rows !== null && !agreed.atLeast && loss.rows > (agreed.rows ?? 0))
  })
}
