import pg from 'pg'

const { builtins } = pg.types

/**
 * `2024-08-09 11:04:00.123456+00` → `2024-08-09T11:04:00.123456Z`. Microseconds are kept, which a
 * JavaScript Date cannot do; any offset the server answers in is turned to UTC; `infinity` stays.
 */
function isoInstant(text: string): string {
  const match = /^(\d{4,}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?([+-]\d\d(?::\d\d){0,2})( BC)?$/.exec(
    text,
  )
  if (!match || match[5]) return text
  const [, date = '', time = '', fraction = '', offset = ''] = match
  if (/^[+-]00(:00)*$/.test(offset)) return `${date}T${time}${fraction}Z`
  const utc = new Date(`${date}T${time}${offset.length === 3 ? `${offset}:00` : offset}`)
  return `${utc.toISOString().slice(0, 19)}${fraction}Z`
}

/** A bigint as a number while that is exact, as its decimal text beyond 2^53. */
function exactInteger(text: string): number | string {
  const value = Number(text)
  return Number.isSafeInteger(value) ? value : text
}

const PARSERS: ReadonlyMap<number, (text: string) => unknown> = new Map<
  number,
  (text: string) => unknown
>([
  [builtins.INT8, exactInteger],
  [builtins.NUMERIC, (text) => text],
  [builtins.TIMESTAMPTZ, isoInstant],
  [builtins.TIMESTAMP, (text) => text.replace(' ', 'T')],
  [builtins.DATE, (text) => text],
  [builtins.INTERVAL, (text) => text],
])

/** How result columns become JavaScript values: nothing loses a digit on the way. */
export const exactTypes: pg.CustomTypesConfig = {
  getTypeParser: (oid: number, format?: string) =>
    (format !== 'binary' && PARSERS.get(oid)) || pg.types.getTypeParser(oid, format as 'text'),
}
