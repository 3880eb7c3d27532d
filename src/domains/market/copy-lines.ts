/**
 * Values as lines of COPY's text format: columns apart by tabs, `\N` for null, and a backslash before
 * what would otherwise end a column or a line
 * (https://www.postgresql.org/docs/current/sql-copy.html, "Text Format").
 */
export const copyLine = (values: readonly unknown[]): string => values.map(copyValue).join('\t')

const ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
}

const NEEDS_ESCAPE = /[\\\t\n\r]/
const TO_ESCAPE = /[\\\t\n\r]/g

/** Hardly any value needs escaping, and looking is much cheaper than replacing. */
const escapeText = (text: string): string =>
  NEEDS_ESCAPE.test(text)
    ? text.replace(TO_ESCAPE, (character) => ESCAPES[character] ?? character)
    : text

function copyValue(value: unknown): string {
  if (value === null || value === undefined) return '\\N'
  if (typeof value === 'string') return escapeText(value)
  if (typeof value === 'number') return String(value)
  return escapeText(Array.isArray(value) ? arrayLiteral(value) : JSON.stringify(value))
}

/** A text array: each element quoted, with a backslash before quotes and backslashes. */
const arrayLiteral = (items: readonly unknown[]): string =>
  `{${items.map((item) => `"${quoteText(String(item))}"`).join(',')}}`

const quoteText = (text: string): string =>
  /["\\]/.test(text) ? text.replace(/["\\]/g, '\\$&') : text
