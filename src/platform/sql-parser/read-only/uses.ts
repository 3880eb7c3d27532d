import { quoted } from '../tree.js'

/** A call as it is written. */
export interface FunctionUse {
  /** With its schema, if one is written. */
  readonly name: readonly string[]
  readonly args: number
  /** The last argument is a list of arguments. */
  readonly isVariadic: boolean
}

/** A name that leads to something in the catalog, and where it stands. */
export interface NameUse {
  readonly schema: string | null
  readonly name: string
  /** In bytes of UTF-8 from 0: where a schema can be put in front. */
  readonly location: number
}

/** Everything that a statement makes PostgreSQL look up. */
export interface Uses {
  readonly functions: FunctionUse[]
  /** With their schemas, if such are written. */
  readonly operators: (readonly string[])[]
  readonly relations: NameUse[]
  readonly types: NameUse[]
  /** Names after a dot: where there is no such column, PostgreSQL calls a function of that name. */
  readonly fields: string[]
  /** Highest number of a parameter. */
  parameters: number
}

/** A name as it is safe to show. */
export const shownName = (parts: readonly string[]): string =>
  parts.map((part) => quoted(part.slice(0, 63))).join('.')
