import type { z } from 'zod'

/** Every problem of a refused input, each beginning with the field it is about. */
export function describeIssues(error: z.ZodError, root = 'arguments'): string {
  return error.issues.map((issue) => `${fieldOf(issue, root)}: ${reasonOf(issue)}`).join('; ')
}

const fieldOf = (issue: z.core.$ZodIssue, root: string): string =>
  issue.path.reduce<string>(
    (path, part) => (typeof part === 'number' ? `${path}[${part}]` : join(path, String(part))),
    '',
  ) || root

const join = (path: string, part: string): string => (path ? `${path}.${part}` : part)

function reasonOf(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys') {
    return `unknown field ${issue.keys.map((key) => JSON.stringify(key.slice(0, 64))).join(', ')}`
  }
  return issue.message.replace(/^Invalid input: /, '')
}
