/** How much something matters; only critical and warning are told without being asked. */
export type Severity = 'critical' | 'warning' | 'info'

/** What a check has measured, or what it measures by. */
export type Figure = number | string | boolean | null

/** What a client can call to go on. */
export interface NextCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
}

/** One thing that is not well. */
export interface Concern {
  readonly severity: Severity
  /** What it is about: a table, an index, a slot, a process; null when it is the database or the server. */
  readonly object: string | null
  /** One sentence with the figure. */
  readonly title: string
  /** Figures by name. */
  readonly evidence: Readonly<Record<string, unknown>>
  readonly threshold: Figure
  /** One sentence: what to do now. */
  readonly next_step: string
  readonly tool?: NextCall
  /** How long it must have lasted before it is told, in milliseconds. */
  readonly afterMs?: number
}

/** A figure that leads somewhere: its trend tells when it is there. */
export interface Approach {
  readonly object: string | null
  readonly value: number
  /** Where it ends. */
  readonly limit: number
  /** As the sentence about its trend names it, such as "the sequence public.t_id_seq". */
  readonly what: string
}

/** What a check comes to. */
export type Judgement =
  | { readonly unknown: string }
  | {
      /** The worst that was seen, well or not. */
      readonly value: Figure
      readonly threshold: Figure
      readonly concerns: readonly Concern[]
      readonly approaches?: readonly Approach[]
      /** Tells this measurement apart from the one before: one that is looked at twice counts once. */
      readonly measurement?: number
    }

/** A state, said in words: it is told at once. */
interface SaidCheck {
  /** As it is told apart from others, such as `events_failing`. */
  readonly name: string
  /** Critical: the server cannot do its work. */
  readonly severity: 'critical' | 'warning'
  /** Asked only while the database answers: else it is that which is wrong. */
  readonly needsDatabase?: boolean
  /** What is wrong, and what to do, in words for an operator; null while all is well. */
  look(): string | null
}

/** A figure: what is wrong is told when two samples in a row say so, and withdrawn after three that do not. */
export interface MeasuredCheck {
  readonly name: string
  /** Whoever measures has waited for several samples already. */
  readonly isSettled?: boolean
  /** True for what is this server's alone, so that others cannot see it end. */
  readonly isOwn?: boolean
  measure(): Judgement | Promise<Judgement>
}

/** What a part says of itself when somebody asks how it is. */
export type Check = SaidCheck | MeasuredCheck
