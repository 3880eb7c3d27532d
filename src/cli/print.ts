import { write } from './terminal.js'

/** Writes an answer to standard output: as JSON when that was asked for, else readable. */
export function print<T>(
  answer: T,
  options: { readonly json?: boolean | undefined },
  readable: (answer: T) => string,
): void {
  write(options.json ? `${JSON.stringify(answer, null, 2)}\n` : readable(answer))
}
