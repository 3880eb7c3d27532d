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
