import type { Check } from '../lib/check.js'
import { type BoundDomain, bind, type Domain } from '../mcp/define.js'
import type { Dispatcher } from '../mcp/dispatcher.js'
import type { Registry } from '../mcp/registry.js'
import type { Core } from './core.js'

/** What a part is started with. */
export interface Kernel extends Core {
  /** The service of a part that has started before. */
  the<S>(part: Part<S>): S
  /** Everything that is served; known once all parts have started. */
  served(): Registry
  /** The one way in, for a part that calls others as any client does; known once all parts have started. */
  door(): Dispatcher
  /** Says that the resource at this path has another answer now. */
  changed(path: string): void
  /** Adds to what monitoring asks when it is asked how everything is. */
  check(check: Check): void
  /** What was added by all parts. */
  readonly checks: readonly Check[]
  /** Runs once all parts have started, in their order; the server is ready when it is done. */
  onOpen(open: () => unknown): void
  /** Runs when the server is told to end, while calls are still answered. */
  onDrain(drain: () => unknown): void
  /** Runs when the server ends, or when a later part cannot be started; the last that was added first. */
  onClose(close: () => unknown): void
}

interface PartSpec<S> extends Domain<S> {
  /** Makes the service. */
  start(kernel: Kernel): S | Promise<S>
}

/** One part of the product, with everything that a client can ask of it. */
export interface Part<S> {
  readonly name: string
  /** What it serves, for those who only describe it. */
  readonly described: BoundDomain
  start(kernel: Kernel): Promise<Started<S>>
}

/** A part that runs. */
interface Started<S> {
  readonly service: S
  readonly served: BoundDomain
}

/** Defines a part: its folder, and one line in `src/app.ts`. */
export const part = <S>(spec: PartSpec<S>): Part<S> => ({
  name: spec.name,
  // Nothing of it is called, so nothing asks for the service.
  get described() {
    return bind(spec, undefined as S)
  },
  start: async (kernel) => {
    const service = await spec.start(kernel)
    return { service, served: bind(spec, service) }
  },
})
