/**
 * Microseconds since 1970 of an ISO 8601 instant with a zone; what is finer is cut off.
 *
 * @throws TypeError for anything else
 */
export function microsecondsOf(instant: string): number {
  const [, before = '', fraction = '', zone = ''] =
    /^(\d{4,6}-\d\d-\d\dT\d\d:\d\d(?::\d\d)?)(?:[.,](\d+))?(Z|[+-]\d\d:?\d\d)$/i.exec(instant) ?? []
  const ms = Date.parse(`${before}${zone}`)
  if (Number.isNaN(ms)) throw new TypeError('not an instant')
  return ms * 1_000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

/** The instant as ISO 8601 in UTC, with all of its microseconds. */
export function instantOf(microseconds: number): string {
  const fraction = ((microseconds % 1_000_000) + 1_000_000) % 1_000_000
  const seconds = new Date((microseconds - fraction) / 1_000).toISOString().slice(0, 19)
  return `${seconds}.${String(fraction).padStart(6, '0')}Z`
}
