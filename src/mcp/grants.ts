import { AppError } from '../errors.js'
import { GRANTS, type Grant } from '../lib/grants.js'

/**
 * Refuses what the caller was not granted.
 *
 * @throws AppError `permission_denied` that names what is needed
 */
export function requireGrant(held: ReadonlySet<Grant> | null, needed: Grant, what: string): void {
  if (held !== null && !held.has(needed)) throw lacksGrant(needed, what)
}

/** What a caller is told who was not granted it. */
export const lacksGrant = (needed: Grant, what: string): AppError =>
  new AppError('permission_denied', `${what} needs the scope ${needed}, which this caller lacks.`, {
    hint: `Use a token with ${needed} (${GRANTS[needed]}).`,
  })
