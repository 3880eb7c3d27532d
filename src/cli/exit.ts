import { AppError, type ErrorCode } from '../errors.js'

/** What the process's exit code says. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  configuration: 3,
  unreachable: 4,
  refused: 5,
  findings: 7,
  SIGINT: 130,
  SIGTERM: 143,
} as const

/** A setting cannot be used; the process ends with the exit code for that. */
export class ConfigurationError extends Error {}

const CODES: Partial<Record<ErrorCode, number>> = {
  invalid_input: EXIT.usage,
  unavailable: EXIT.unreachable,
  permission_denied: EXIT.refused,
  confirmation_required: EXIT.refused,
}

/** Prints why the command failed, with the next step, and ends the process. */
export function fail(error: unknown, exitCode = exitCodeOf(error)): never {
  const known = error instanceof AppError || error instanceof ConfigurationError
  const text = known ? error.message : String(error instanceof Error ? error.stack : error)
  process.stderr.write(`catalyst-db: ${text}\n`)
  if (error instanceof AppError && error.hint) process.stderr.write(`${error.hint}\n`)
  process.exit(exitCode)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigurationError) return EXIT.configuration
  return error instanceof AppError ? (CODES[error.code] ?? EXIT.failure) : EXIT.failure
}
