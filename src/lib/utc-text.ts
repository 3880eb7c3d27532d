const LONGEST_UTC = '2024-12-30T14:30:00.123456Z'

/**
 * An ISO 8601 instant in UTC, with the microseconds that PostgreSQL keeps and a JavaScript Date does
 * not. Finer digits are cut off: PostgreSQL would round them, perhaps into the next second.
 */
export function utcText(instant: string): string {
  if (instant.endsWith('Z') && instant.length <= LONGEST_UTC.length) return instant
  const [, fraction = ''] = /\.(\d{1,6})/.exec(instant) ?? []
  const seconds = new Date(Date.parse(instant)).toISOString().slice(0, 19)
  return `${seconds}.${fraction.padEnd(3, '0')}Z`
}

/** The same with all six decimals of a second, so that texts sort as the instants do. */
export function sortableUtcText(instant: string): string {
  const [, fraction = ''] = /\.(\d{1,6})/.exec(instant) ?? []
  const seconds = new Date(Date.parse(instant)).toISOString().slice(0, 19)
  return `${seconds}.${fraction.padEnd(6, '0')}Z`
}

/**
 * An instant as every answer spells it, which is how PostgreSQL's come: in UTC, with as many decimals
 * of a second as it has.
 */
export const instantText = (instant: Date | number): string =>
  new Date(instant).toISOString().replace(/\.?0+Z$/, 'Z')
