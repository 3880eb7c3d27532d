import { shown } from '../lib/terminal-text.js'

/** Writes to standard output what a person or a program reads. */
export function write(text: string): void {
  process.stdout.write(shown(text))
}

/** Writes to standard error: progress, questions, failures. */
export function tell(text: string): void {
  process.stderr.write(shown(text))
}

/** Why standard output took no more of what was written; null while it does, or when its reader has left. */
let refused: string | null = null

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the quota is used up',
  EFBIG: 'the file would be larger than is allowed',
  EIO: 'the device does not answer',
}

/**
 * Ends the process once everything that was written has been taken: output into a pipe is written later than
 * the call that writes it, and `process.exit` alone would drop what the reader has not taken yet. Output that
 * was not complete is a failure, whatever the command came to.
 */
export async function leave(exitCode: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(taken))
  if (refused === null) process.exit(exitCode)
  tell(`catalyst-db: The output is not complete: ${refused}.\nWrite it to a place that has room.\n`)
  await taken(process.stderr)
  process.exit(exitCode === 0 ? 1 : exitCode)
}

const taken = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writable) stream.write('', () => resolve())
    else resolve()
  })

/**
 * Without listeners a write that fails would end the process with a stack trace. A reader that has seen enough
 * (`| head`) takes nothing more, and the command still ends as it would; nor does it matter when nobody can be
 * told anything on standard error.
 */
export function outliveReaders(): void {
  process.stderr.on('error', () => {})
  process.stdout.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
    if (code !== 'EPIPE') refused ??= REASONS[code] ?? 'it could not be written'
  })
}
