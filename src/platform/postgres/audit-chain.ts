import { createHash } from 'node:crypto'
import { canonicalJson } from '../../lib/canonical-json.js'
import type { AuditEntry, ChainedEntry, ChainLink } from './audit-trail.sql.js'

/** What lies before the first entry ever written. */
export const ORIGIN: ChainLink = { audit_id: 0, hash: '0'.repeat(64) }

/** Gives entries of one month their place after `head`: each hash covers the entry and the hash before it. */
export function chain(
  entries: readonly AuditEntry[],
  head: ChainLink,
  month: string,
): ChainedEntry[] {
  let { audit_id, hash: previous_hash } = head
  return entries.map((entry) => {
    audit_id++
    const placed = { ...entry, month, audit_id, previous_hash }
    const hash = hashOf(placed)
    previous_hash = hash
    return { ...placed, hash }
  })
}

/** The first entry that is not what was written after `head`, or null when all are. */
export function findBreak(entries: readonly ChainedEntry[], head: ChainLink): number | null {
  let previous = head
  for (const { hash, ...entry } of entries) {
    const follows =
      entry.audit_id === previous.audit_id + 1 && entry.previous_hash === previous.hash
    if (!follows || hashOf(entry) !== hash) return entry.audit_id
    previous = { audit_id: entry.audit_id, hash }
  }
  return null
}

const hashOf = (entry: Omit<ChainedEntry, 'hash'>): string =>
  createHash('sha256')
    .update(canonicalJson({ ...entry, at: toMicroseconds(entry.at) }))
    .digest('hex')

/** PostgreSQL leaves out the fraction's trailing zeros, which must not change the hash. */
const toMicroseconds = (instant: string): string => {
  const [seconds = '', fraction = ''] = instant.replace('Z', '').split('.')
  return `${seconds}.${fraction.padEnd(6, '0')}Z`
}
