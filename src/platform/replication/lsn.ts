const TEXT = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/i

/**
 * A place in the write-ahead log as PostgreSQL spells it, such as `0/16B3748`.
 *
 * @throws TypeError for any other text
 */
export function parseLsn(text: string): bigint {
  const match = TEXT.exec(text)
  if (!match) throw new TypeError('not an LSN')
  return (BigInt(`0x${match[1]}`) << 32n) | BigInt(`0x${match[2]}`)
}

/** The spelling of PostgreSQL. */
export const formatLsn = (lsn: bigint): string =>
  `${(lsn >> 32n).toString(16)}/${(lsn & 0xffffffffn).toString(16)}`.toUpperCase()

/** Sixteen hexadecimal digits, so that texts sort as the places do. */
export const sortableLsn = (lsn: bigint): string => lsn.toString(16).toUpperCase().padStart(16, '0')
