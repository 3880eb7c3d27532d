/** What a validator has found, as every Standard Schema tells it; some say more. */
interface Issue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
  readonly code?: string | undefined
  readonly keys?: readonly string[]
}

/** Every problem of a refused input, each beginning with the field it is about. */
export function describeIssues(
  { issues }: { readonly issues: readonly Issue[] },
  root = 'arguments',
): string {
  return issues.map((issue) => `${fieldOf(issue, root)}: ${reasonOf(issue)}`).join('; ')
}

const fieldOf = ({ path = [] }: Issue, root: string): string =>
  path
    .map((part) => (typeof part === 'object' ? part.key : part))
    .reduce<string>(
      (field, part) => (typeof part === 'number' ? `${field}[${part}]` : join(field, String(part))),
      '',
    ) || root

const join = (path: string, part: string): string => (path ? `${path}.${part}` : part)

function reasonOf({ code, keys = [], message }: Issue): string {
  if (code === 'unrecognized_keys') {
    return `unknown field ${keys.map((key) => JSON.stringify(key.slice(0, 64))).join(', ')}`
  }
  // Of several forms it has none, and none is nearest.
  if (message === 'Invalid input') return 'has none of the forms that are accepted'
  return message.replace(/^Invalid input: /, '')
}
