import { AppError } from '../../../errors.js'
import { decimal } from '../../../lib/decimal.js'
import { microsecondsOf } from '../../../lib/microseconds.js'
import {
  type LoggedRelation,
  type LoggedRow,
  type LoggedValue,
  UNCHANGED,
} from '../../../platform/postgres/replication/pgoutput.js'

/** Columns with their values, as a caller names a row. */
export type RowKey = Readonly<Record<string, string | number | boolean>>

/** Type oids of PostgreSQL itself whose values have several spellings. */
const BOOLEAN = 16
const NUMBERS = [20, 21, 23, 26, 700, 701, 1700]
const INSTANT = 1184
const UUID = 2950

/** A value as it is compared: the same text for the same value. */
function spelled(value: string, typeOid: number): string {
  try {
    if (typeOid === BOOLEAN) return /^(t|true|1|on|yes)$/i.test(value) ? 't' : 'f'
    if (NUMBERS.includes(typeOid)) return decimal(value).toString()
    if (typeOid === INSTANT) return String(microsecondsOf(isoOf(value)))
    if (typeOid === UUID) return value.toLowerCase()
  } catch {
    // Such as NaN and infinity: they have one spelling.
  }
  return value
}

/** `2026-11-30 10:00:00+00`, as the log has it, in the spelling of ISO 8601. */
const isoOf = (value: string): string =>
  value.replace(/^(\S+) (\d)/, '$1T$2').replace(/([+-]\d\d)$/, '$1:00')

/**
 * Tells the rows of one key in the log.
 *
 * @throws AppError `invalid_input` that names the columns of the key
 */
export class KeyMatcher {
  readonly #wanted: readonly {
    readonly at: number
    readonly typeOid: number
    readonly value: string
  }[]

  constructor(relation: LoggedRelation, key: RowKey) {
    const keys = relation.columns.filter(({ isKey }) => isKey).map(({ name }) => name)
    const given = Object.keys(key)
    const isWhole =
      relation.identity === 'full'
        ? given.every((name) => keys.includes(name))
        : given.length === keys.length && given.every((name) => keys.includes(name))
    if (!isWhole) throw wrongKey(keys)
    this.#wanted = given.map((name) => {
      const at = relation.columns.findIndex((column) => column.name === name)
      const typeOid = relation.columns[at]?.typeOid ?? 0
      return { at, typeOid, value: spelled(String(key[name]), typeOid) }
    })
  }

  matches(row: LoggedRow): boolean {
    return this.#wanted.every(({ at, typeOid, value }) => {
      const found: LoggedValue | undefined = row[at]
      return typeof found === 'string' && spelled(found, typeOid) === value
    })
  }
}

/** Values by their columns; those that the log does not tell are left out. */
export const fieldsOf = (
  { columns }: LoggedRelation,
  row: LoggedRow,
  only: (column: { readonly isKey: boolean }) => boolean = () => true,
): Record<string, string | null> =>
  Object.fromEntries(
    columns.flatMap((column, at) => {
      const value = row[at]
      const isTold = value !== undefined && value !== UNCHANGED && only(column)
      return isTold ? [[column.name, value]] : []
    }),
  )

const wrongKey = (columns: readonly string[]): AppError =>
  new AppError('invalid_input', 'key: these columns do not tell rows of the table apart.', {
    hint: `Give exactly ${columns.map((name) => JSON.stringify(name)).join(', ')}.`,
  })
