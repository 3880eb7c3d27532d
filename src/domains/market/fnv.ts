/** The hash of nothing. */
const FNV_BASIS = 0x811c9dc5

/** The hash of a text and one more UTF-16 unit, as a signed number. */
const fnvStep = (hash: number, unit: number): number => Math.imul(hash ^ unit, 0x01000193)

/**
 * FNV-1a over UTF-16 units (http://www.isthe.com/chongo/tech/comp/fnv/), an unsigned 32-bit number.
 * For finding, never for identity: who looks something up by it compares the text as well.
 */
export function fnv1a(text: string): number {
  let hash = FNV_BASIS
  for (let i = 0; i < text.length; i++) hash = fnvStep(hash, text.charCodeAt(i))
  return hash >>> 0
}
