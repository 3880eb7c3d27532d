import { AppError } from '../errors.js'

/** What the process's exit code says. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  configuration: 3,
  unreachable: 4,
  findings: 7,
  SIGINT: 130,
  SIGTERM: 143,
} as const

/** A setting cannot be used; the process ends with the exit code for that. */
export class ConfigurationError extends Error {}

/** Prints why the command failed, with the next step, and ends the process. */
export function fail(error: unknown): never {
  const known = error instanceof AppError || error instanceof ConfigurationError
  const text = known ? error.message : String(error instanceof Error ? error.stack : error)
  process.stderr.write(`catalyst-db: ${text}\n`)
  if (error instanceof AppError && error.hint) process.stderr.write(`${error.hint}\n`)
  process.exit(exitCodeOf(error))
}

function exitCodeOf(error: unknown): number {
  if (error instanceof ConfigurationError) return EXIT.configuration
  if (!(error instanceof AppError)) return EXIT.failure
  if (error.code === 'unavailable') return EXIT.unreachable
  // Nobody has asked for anything yet but by settings.
  if (error.code === 'invalid_input') return EXIT.configuration
  return EXIT.failure
}
