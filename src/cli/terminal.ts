import { shown } from '../lib/terminal-text.js'

/** Writes to standard output what a person or a program reads. */
export function write(text: string): void {
  process.stdout.write(shown(text))
}

/** Writes to standard error: progress, questions, failures. */
export function tell(text: string): void {
  process.stderr.write(shown(text))
}

/**
 * Ends the process once everything that was written has been taken: output into a pipe is written later than
 * the call that writes it, and `process.exit` alone would drop what the reader has not taken yet.
 */
export async function leave(exitCode: number): Promise<never> {
  await Promise.all([process.stdout, process.stderr].map(taken))
  process.exit(exitCode)
}

const taken = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writable) stream.write('', () => resolve())
    else resolve()
  })

/** A reader that has seen enough (`| head`) takes nothing more; the command still ends as it would. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error
    })
  }
}
