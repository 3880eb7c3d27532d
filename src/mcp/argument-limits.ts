import { AppError } from '../errors.js'
import { inexactNumber } from '../lib/exact-json.js'

/** PostgreSQL's own limit depends on its stack (SQLSTATE 54001) and lies in the thousands. */
const MAX_DEPTH = 100

interface Place {
  readonly value: unknown
  readonly name: string
  readonly depth: number
}

/**
 * Refuses what no schema sees: nesting beyond a hundred levels, and numbers that JSON could not carry
 * exactly. Without recursion, for what it looks at may be as deep as a message is long.
 *
 * @throws AppError `invalid_input` that names the field
 */
export function checkArguments(args: unknown): void {
  const open: Place[] = [{ value: args, name: '', depth: 0 }]
  for (let place = open.pop(); place; place = open.pop()) {
    const { value, name, depth } = place
    const number = inexactNumber(value)
    if (number !== null) throw inexact(name, number)
    if (typeof value !== 'object' || value === null) continue
    if (depth > MAX_DEPTH) throw tooDeep(name)
    if (Array.isArray(value)) {
      for (const [index, item] of value.entries()) {
        if (isToLookAt(item))
          open.push({ value: item, name: `${name}[${index}]`, depth: depth + 1 })
      }
      continue
    }
    for (const [key, item] of Object.entries(value)) {
      if (!isToLookAt(item)) continue
      open.push({ value: item, name: name ? `${name}.${key}` : key, depth: depth + 1 })
    }
  }
}

/** Most values of a batch are short texts and numbers. */
const isToLookAt = (value: unknown): boolean =>
  typeof value === 'object' ? value !== null : typeof value === 'string' && value > '\ue000'

const shown = (name: string): string => name.slice(0, 80).replaceAll(/\p{C}/gu, '?')

const inexact = (name: string, number: string): AppError =>
  new AppError('invalid_input', `${shown(name)}: a JSON number cannot hold ${number} exactly`, {
    hint: `Nothing was done. Where text is taken as well, as for prices and quantities, send it as text: "${number}"; a field that takes numbers only has no such value.`,
  })

const tooDeep = (name: string): AppError =>
  new AppError('invalid_input', `${shown(name)}…: nested deeper than ${MAX_DEPTH} levels`, {
    hint: 'Nothing was done. Send a flatter value.',
  })
