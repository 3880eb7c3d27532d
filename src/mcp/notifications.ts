import {
  InMemoryServerEventBus,
  type McpRequestContext,
  type Server,
  type ServerEventBus,
} from '@modelcontextprotocol/server'
import { AppError } from '../errors.js'
import type { PublishedEvent } from '../events.js'
import type { Log } from '../platform/log.js'
import { type ListenLimit, ListenLimits } from './listen-limits.js'
import { toProtocolError } from './protocol-errors.js'
import type { Registry } from './registry.js'
import { SCHEME } from './resources.js'

/** A subscriber hears of one URI at most this often; what changes meanwhile is one update at the end. */
const COALESCE_MS = 1_000

/** Turns what happened into `resources/updated` for whoever subscribed, in both eras and transports. */
export class Notifications {
  /** What `subscriptions/listen` streams over HTTP are fed from. */
  readonly bus: ServerEventBus = new InMemoryServerEventBus()
  /** How many streams each client has open. */
  readonly listens: ListenLimits
  readonly #log: Log
  readonly #registry: Registry
  readonly #maxPerClient: number
  readonly #pathsByEvent: ReadonlyMap<string, readonly string[]>
  /** Servers of 2025 connections with the URIs they subscribed to. */
  readonly #legacy = new Map<Server, Set<string>>()
  /** Servers of 2026 stdio connections, whose streams the SDK keeps. */
  readonly #listening = new Set<Server>()
  readonly #resting = new Map<string, { changed: boolean }>()

  constructor(deps: {
    readonly registry: Registry
    readonly log: Log
    readonly limit: ListenLimit
  }) {
    this.listens = new ListenLimits(deps.limit)
    this.#maxPerClient = deps.limit.subscriptions
    this.#registry = deps.registry
    this.#log = deps.log
    this.#pathsByEvent = pathsByEvent(deps.registry)
  }

  /** Lets the peer of a connection subscribe. HTTP requests of the 2026 era use the bus instead. */
  attach(server: Server, context: McpRequestContext): void {
    if (context.era === 'legacy') this.#attachLegacy(server)
    else if (!context.requestInfo) this.#listening.add(server)
    server.onclose = () => {
      this.#legacy.delete(server)
      this.#listening.delete(server)
    }
  }

  /** Says which resources have another answer after these events. */
  eventsPublished(events: readonly PublishedEvent[]): void {
    const paths = events.flatMap(({ type, data }) => [
      `events/${type}`,
      ...(this.#pathsByEvent.get(type) ?? []).map((path) => filled(path, data)),
    ])
    for (const path of new Set(paths)) this.resourceChanged(path)
  }

  /** Says that the resource at this path has another answer now. */
  resourceChanged(path: string): void {
    const resting = this.#resting.get(path)
    if (resting) {
      resting.changed = true
      return
    }
    this.#tell(path)
    const rest = { changed: false }
    this.#resting.set(path, rest)
    setTimeout(() => {
      this.#resting.delete(path)
      if (rest.changed) this.resourceChanged(path)
    }, COALESCE_MS).unref()
  }

  #attachLegacy(server: Server): void {
    const uris = new Set<string>()
    this.#legacy.set(server, uris)
    server.setRequestHandler('resources/subscribe', ({ params }) => {
      this.#refuseUnknown(params.uri)
      if (uris.size >= this.#maxPerClient && !uris.has(params.uri)) throw tooMany(params.uri)
      uris.add(params.uri)
      return {}
    })
    server.setRequestHandler('resources/unsubscribe', ({ params }) => {
      uris.delete(params.uri)
      return {}
    })
  }

  /** A subscription that can never fire would be silence. */
  #refuseUnknown(uri: string): void {
    try {
      this.#registry.router.match(uri)
    } catch (error) {
      throw error instanceof AppError ? toProtocolError(uri, error) : error
    }
  }

  #tell(path: string): void {
    for (const uri of [SCHEME + path, path]) {
      this.bus.publish({ kind: 'resource_updated', uri })
      for (const server of this.#listening) this.#send(server, uri)
    }
    for (const [server, uris] of this.#legacy) {
      for (const uri of uris) if (pathOf(uri) === path) this.#send(server, uri)
    }
  }

  #send(server: Server, uri: string): void {
    server.sendResourceUpdated({ uri }).catch((error: unknown) => {
      this.#log.debug({ err: error }, 'a subscriber is gone')
    })
  }
}

const tooMany = (uri: string) => {
  const message = 'As many subscriptions as one connection may have.'
  const hint = 'Unsubscribe from what you no longer watch, or subscribe to events/{type} instead.'
  return toProtocolError(uri, new AppError('rate_limited', message, { hint }))
}

const pathOf = (uri: string): string =>
  (uri.replace(/^catalyst:\/\//i, '').split('?')[0] ?? '').replace(/\/$/, '')

/** `jobs/{job_id}` as the event's own data names it. */
const filled = (path: string, data: Readonly<Record<string, unknown>>): string =>
  path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(data[name])))

function pathsByEvent(registry: Registry): ReadonlyMap<string, readonly string[]> {
  const paths = new Map<string, string[]>()
  for (const { path, refreshedBy } of registry.resources) {
    for (const type of refreshedBy ?? []) paths.set(type, [...(paths.get(type) ?? []), path])
  }
  return paths
}
