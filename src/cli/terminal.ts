/**
 * What a terminal would obey instead of showing: C0 and C1 controls, among them the escape that begins a
 * sequence; marks that turn the direction of text (Unicode Bidi_Control); and invisible tag characters.
 */
const OBEYED =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\u{e0000}-\u{e007f}]/gu

/** The text with everything a terminal would obey written as `\uXXXX`, which JSON reads as the same text. */
export const shown = (text: string): string =>
  text.replace(OBEYED, (character) =>
    Array.from({ length: character.length }, (_, index) => codeUnit(character, index)).join(''),
  )

const codeUnit = (character: string, index: number): string =>
  `\\u${character.charCodeAt(index).toString(16).padStart(4, '0')}`

/** The text in one line, so that a value cannot pretend to be a line of its own. */
export const oneLine = (text: string): string => shown(text.replace(/\s*[\r\n]+\s*/g, ' '))

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
