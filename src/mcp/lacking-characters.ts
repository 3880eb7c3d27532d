import { LackingCharacter } from '../errors.js'

/** Does what was asked for; of a character that the database lacks the field is told in which it came. */
export async function namingFields<T>(
  args: unknown,
  work: () => Promise<T>,
  isRead = false,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const lacking = lackingIn(error)
    if (lacking === null || lacking.field !== null) throw error
    const field = fieldWith(args, lacking.character, '')
    throw field ? new LackingCharacter(lacking.character, error, { field, isRead }) : error
  }
}

/** What fails in an operation of a transaction is the cause of what its caller is told. */
const lackingIn = (error: unknown): LackingCharacter | null =>
  error instanceof LackingCharacter
    ? error
    : error instanceof Error && error.cause !== undefined
      ? lackingIn(error.cause)
      : null

function fieldWith(value: unknown, character: string, path: string): string | null {
  if (typeof value === 'string') return hasCharacter(value, character) ? path : null
  if (typeof value !== 'object' || value === null) return null
  const isList = Array.isArray(value)
  for (const [key, item] of Object.entries(value)) {
    if (hasCharacter(key, character)) return path
    const name = isList ? `${path}[${key}]` : path && `${path}.`
    const field = fieldWith(item, character, isList ? name : `${name}${key}`)
    if (field !== null) return field
  }
  return null
}

/** Also as it is stored where equal texts have to be found: folded. */
const hasCharacter = (text: string, character: string): boolean =>
  text.includes(character) ||
  text.normalize('NFKC').toLowerCase().normalize('NFKC').includes(character)
