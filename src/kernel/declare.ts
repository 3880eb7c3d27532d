import type { z } from 'zod'

/** How much an event should worry its reader. */
export type Severity = 'info' | 'warning' | 'critical'

/** One kind of event: its payload, and what it reports. */
interface EventKind {
  readonly severity: Severity
  readonly doc: string
  readonly data: z.ZodObject
}

/** What a part declares before anything of it runs, each under the name that operators or clients see. */
interface Declaration {
  /** By their environment names; each may also be given as `NAME_FILE`, a file that holds the value. */
  readonly settings?: Readonly<Record<string, z.ZodType>>
  /** Sections of the policy file. */
  readonly policy?: Readonly<Record<string, z.ZodObject>>
  /**
   * An event that reports a fact in the database is written in the transaction that makes the fact, and
   * carries that transaction's id beside its own fields. One that reports a change names in `refs` what changed.
   */
  readonly events?: Readonly<Record<string, EventKind>>
}

/** Declares what a part adds to settings, policy and events; `src/declared.ts` joins them. */
export const declare = <D extends Declaration>(declaration: D): D => declaration

/** One kind of event. */
export const event = <P extends z.ZodObject>(severity: Severity, doc: string, data: P) => ({
  severity,
  doc,
  data,
})

type Joined<D, K extends keyof Declaration> = Intersected<
  D extends { [key in K]: infer V } ? V : never
>
type Intersected<U> = (U extends unknown ? (of: U) => void : never) extends (of: infer I) => void
  ? I
  : never

/**
 * Everything of one kind that was declared, in order.
 *
 * @throws Error for a name that two have declared
 */
export function joined<D extends Declaration, K extends keyof Declaration>(
  declared: readonly D[],
  kind: K,
): Joined<D, K> {
  const entries = declared.flatMap((one) => Object.entries(one[kind] ?? {}))
  const all = Object.fromEntries(entries)
  if (Object.keys(all).length < entries.length) throw new Error(`two parts have the same ${kind}`)
  // Each entry comes from one of them; the compiler does not follow that.
  return all as Joined<D, K>
}
