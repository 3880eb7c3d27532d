const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/**
 * A size for people, such as `1.2 MB`: one decimal, units of 1024 named as PostgreSQL names them.
 * The exact number belongs beside it.
 */
export function humanBytes(bytes: number): string {
  let size = Math.abs(bytes)
  let unit = 0
  // 1023.96 kB would be printed as "1024.0 kB", so the step is taken where rounding reaches 1024.
  while (unit < UNITS.length - 1 && Number(size.toFixed(unit === 0 ? 0 : 1)) >= 1024) {
    size /= 1024
    unit += 1
  }
  const sign = bytes < 0 ? '-' : ''
  return `${sign}${size.toFixed(unit === 0 ? 0 : 1)} ${UNITS[unit]}`
}
