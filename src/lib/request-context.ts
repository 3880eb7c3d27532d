import { AsyncLocalStorage } from 'node:async_hooks'

/** What every log line of a request carries. */
export interface RequestContext {
  readonly reference: string
}

const storage = new AsyncLocalStorage<RequestContext>()

/** Runs `work` as part of a request. */
export const inRequest = <T>(context: RequestContext, work: () => T): T =>
  storage.run(context, work)

/** The request this code runs for, if any. */
export const currentRequest = (): RequestContext | undefined => storage.getStore()
