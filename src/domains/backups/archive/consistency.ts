import type { FullManifest, IncrementalManifest, Manifest } from './manifest.js'

/** How a manifest contradicts itself, whoever may have summed it up anew; null where it does not. */
export const contradictionIn = (manifest: Manifest, prefix: string): string | null =>
  manifest.type === 'full' ? inFull(manifest, prefix) : inIncremental(manifest)

function inFull({ objects, totals }: FullManifest, prefix: string): string | null {
  for (const role of ['schema-pre', 'schema-post', 'catalog'] as const) {
    const times = objects.filter((object) => object.role === role).length
    if (times !== 1) return `it has ${times} objects ${role}`
  }
  if (objects.some(({ key }) => !key.startsWith(prefix))) return 'it has objects of another backup'
  if (new Set(objects.map(({ key }) => key)).size < objects.length)
    return 'an object is in it twice'
  const sum = (of: (object: FullManifest['objects'][number]) => number) =>
    objects.reduce((total, object) => total + of(object), 0)
  if (sum(({ rows = 0 }) => rows) !== totals.rows) return 'its rows are not the sum of its parts'
  const isWhole =
    sum(({ stored_bytes }) => stored_bytes) === totals.stored_bytes &&
    sum(({ plain_bytes }) => plain_bytes) === totals.plain_bytes
  return isWhole ? null : 'its bytes are not the sum of its parts'
}

const inIncremental = ({ log }: IncrementalManifest): string | null =>
  log.from_lsn <= log.to_lsn ? null : 'it ends before it begins'
