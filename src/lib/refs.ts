import { z } from 'zod'

/** What an event can name. */
const REF_KINDS = [
  'news',
  'signal',
  'trade',
  'position',
  'pattern',
  'price_bars',
  'source',
  'job',
  'migration',
  'schema_object',
] as const

/** The kind of a thing that changed. */
export type RefKind = (typeof REF_KINDS)[number]

/** Things that changed: `id` is what their tool and their list call them by, symbol null where they have none. */
export const refs = () =>
  z.array(z.object({ kind: z.enum(REF_KINDS), id: z.string(), symbol: z.string().nullable() }))

/** A thing that changed. */
export type Ref = z.output<ReturnType<typeof refs>>[number]

/** So many are in one event; a transaction that changed more has several. */
export const REFS_PER_EVENT = 1_000

/** Collects what changed, each thing once, in order. */
export class RefSet {
  readonly #refs = new Map<string, Ref>()

  /** Adds things; one that is there already keeps its place. */
  add(added: Iterable<Ref>): void {
    for (const ref of added) {
      const key = `${ref.kind}:${ref.id}`
      if (!this.#refs.has(key)) this.#refs.set(key, ref)
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#refs.size
  }

  /** Forgets what was added after there were `size`. */
  shrinkTo(size: number): void {
    for (const key of [...this.#refs.keys()].slice(size)) this.#refs.delete(key)
  }

  /** All of them. */
  get all(): Ref[] {
    return [...this.#refs.values()]
  }
}

/** One thing. */
export const ref = (kind: RefKind, id: string | number, symbol: string | null = null): Ref => ({
  kind,
  id: String(id),
  symbol,
})
