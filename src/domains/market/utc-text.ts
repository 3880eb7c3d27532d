/**
 * An instant in UTC with six decimals of a second, so that texts sort as the instants do; cut at
 * microseconds, which is what PostgreSQL keeps.
 */
export function utcText(instant: string): string {
  const [, fraction = ''] = /\.(\d{1,6})/.exec(instant) ?? []
  const seconds = new Date(Date.parse(instant)).toISOString().slice(0, 19)
  return `${seconds}.${fraction.padEnd(6, '0')}Z`
}
