import { AppError, type ErrorCode } from '../errors.js'
import { leave, tell } from './terminal.js'

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

/** Takes the exit code of the command that was run. */
export type Done = (command: Promise<number>) => Promise<void>

/** A setting cannot be used; the process ends with the exit code for that. */
export class ConfigurationError extends Error {}

/** A signal, or Ctrl-C at a question, ended the command. */
export class Interrupted extends Error {
  readonly exitCode: number

  constructor(exitCode: number = EXIT.SIGINT, cause?: unknown) {
    super('Interrupted.', { cause })
    this.exitCode = exitCode
  }
}

const REPORT_IT = 'It is a defect of catalyst-db: LOG_LEVEL=debug shows where; please report it.'

const CODES: Partial<Record<ErrorCode, number>> = {
  invalid_input: EXIT.usage,
  unavailable: EXIT.unreachable,
  permission_denied: EXIT.refused,
  confirmation_required: EXIT.refused,
}

/** Failures of the operating system that a setting mends: what happened, and what to do. */
const SYSTEM: Readonly<Record<string, readonly [cause: string, next: string]>> = {
  EADDRINUSE: [
    'another program listens there already, perhaps a catalyst-db that is running',
    'Use that one, stop it, or choose another port: PORT=8643 catalyst-db serve',
  ],
  EADDRNOTAVAIL: ['this machine does not have that address', 'Set HOST to 127.0.0.1.'],
  EACCES: [
    'this user may not',
    'Give it the right, or name another place: CATALYST_DATA_DIR for data, PORT above 1023 to serve.',
  ],
  EPERM: ['this user may not', 'Give it the right, or set CATALYST_DATA_DIR to another folder.'],
  EROFS: ['the file system is read-only', 'Set CATALYST_DATA_DIR to a folder that can be written.'],
  ENOSPC: ['the disk is full', 'Free some space, or set CATALYST_DATA_DIR to another disk.'],
  EDQUOT: ['the quota is used up', 'Free some space, or set CATALYST_DATA_DIR to another disk.'],
  ENOTDIR: ['a file stands where a folder is needed', 'Set CATALYST_DATA_DIR to a folder.'],
  EEXIST: [
    'a file, or a link that leads nowhere, stands where a folder is needed',
    'Set CATALYST_DATA_DIR to a folder.',
  ],
  ELOOP: ['its links lead in a circle', 'Set CATALYST_DATA_DIR to a folder.'],
  ENAMETOOLONG: ['the name is too long', 'Set CATALYST_DATA_DIR to a shorter one.'],
  EIO: ['the disk does not answer', 'Look after the disk, or set CATALYST_DATA_DIR to another.'],
  EMFILE: ['this process has too many files open', 'Raise its limit (ulimit -n).'],
  ENFILE: ['this machine has too many files open', 'Raise its limit, or end what holds them.'],
}

/** ENOENT although the folder above is there: of a file system such as /proc, which takes none. */
const TAKES_NO_FOLDERS = [
  'that place takes no folders',
  'Set CATALYST_DATA_DIR to a folder that can be written.',
] as const

/** Prints why the command failed, with the next step, and ends the process. */
export async function fail(error: unknown): Promise<never> {
  tell(`catalyst-db: ${explain(error)}\n`)
  return leave(exitCodeOf(error))
}

function explain(error: unknown): string {
  if (error instanceof AppError)
    return [error.message, ...serverWords(error), nextStep(error)].filter(Boolean).join('\n')
  if (error instanceof ConfigurationError) return error.message
  if (error instanceof Interrupted) return error.cause ? explain(error.cause) : error.message
  const name = error instanceof Error ? error.name : typeof error
  return systemFailure(error) ?? `An unexpected failure (${name}) ended the command.\n${REPORT_IT}`
}

/** A command has no call to send again; it is run again. */
function nextStep({ fix, hint, retryable }: AppError): string {
  if (fix === hint || !retryable) return fix ?? ''
  return fix ? `${fix} Then run the same command again.` : 'Run the same command again.'
}

/** Who runs commands may read every row, and mends a script by what PostgreSQL says of it. */
function serverWords(error: AppError): string[] {
  let cause: unknown = error
  while (cause instanceof Error && !Reflect.has(cause, 'severity')) cause = cause.cause
  if (!(cause instanceof Error) || !OF_SCRIPTS.test(String(Reflect.get(cause, 'code')))) return []
  const words = [cause.message, ...['detail', 'hint'].map((key) => Reflect.get(cause, key))]
  return [`PostgreSQL says: ${words.filter((word) => typeof word === 'string').join(' ')}`]
}

/** Not of connections and passwords. */
const OF_SCRIPTS = /^(0A|2[1-57]|2B|3F|4|5[45]|P0)/

function systemFailure(error: unknown): string | null {
  if (!(error instanceof Error)) return null
  const { code, path, address, port, syscall } = error as NodeJS.ErrnoException & {
    address?: string
    port?: number
  }
  const isNoPlace = code === 'ENOENT' && syscall === 'mkdir'
  const [cause, next] = isNoPlace ? TAKES_NO_FOLDERS : (SYSTEM[code ?? ''] ?? [])
  if (!cause) return null
  const place = path ?? (address === undefined ? '' : `${address}${port ? `:${port}` : ''}`)
  return `${[syscall, place].filter(Boolean).join(' ')} failed: ${cause}.\n${next}`
}

function exitCodeOf(error: unknown): number {
  if (error instanceof Interrupted) return error.exitCode
  if (error instanceof ConfigurationError || systemFailure(error)) return EXIT.configuration
  if (!(error instanceof AppError)) return EXIT.failure
  return CODES[error.code] ?? (systemFailure(error.cause) ? EXIT.configuration : EXIT.failure)
}
