import type { z } from 'zod'
import { DECLARED } from './declared.js'
import { joined, type Severity } from './kernel/declare.js'

/** Every event the server publishes. */
export const EVENTS = joined(DECLARED, 'events')

/** The name of a declared event. */
export type EventType = keyof typeof EVENTS

/** The payload an event of this type carries. */
export type EventData<T extends EventType> = z.output<(typeof EVENTS)[T]['data']>

/** What its writer says of an event: what a transaction changed is known to the transaction. */
export type EventFacts<T extends EventType> = T extends 'db.transaction'
  ? Omit<EventData<T>, 'refs'>
  : EventData<T>

/** All declared names. */
export const EVENT_TYPES = Object.keys(EVENTS) as [EventType, ...EventType[]]

/** One event of the log, as clients read it. */
export interface PublishedEvent {
  readonly seq: number
  readonly type: string
  readonly at: string
  readonly severity: Severity
  readonly data: Record<string, unknown>
}
