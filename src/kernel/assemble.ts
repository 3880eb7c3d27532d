import type { Check } from '../lib/check.js'
import { toolsetNames } from '../lib/scope.js'
import type { Dispatcher } from '../mcp/dispatcher.js'
import { Notifications } from '../mcp/notifications.js'
import { Registry } from '../mcp/registry.js'
import type { Core } from './core.js'
import type { Kernel, Part } from './part.js'

/** The parts, started. */
export interface Assembled extends Pick<Kernel, 'the'> {
  readonly registry: Registry
  readonly notifications: Notifications
  readonly dispatcher: Dispatcher
  /** Runs what all parts do before the end, at the same time. */
  drain(): Promise<void>
}

/**
 * Starts the parts in order, registers what they serve, and lets them run. The end of the core ends
 * them, in reverse; also when one of them cannot be started.
 */
export async function assemble(
  parts: readonly Part<unknown>[],
  core: Core,
  opened: OpenDoor,
): Promise<Assembled> {
  try {
    return await run(parts, core, opened)
  } catch (error) {
    // Why it did not start is what is to be told, whatever else goes wrong.
    await core.ending.run().catch((failure: unknown) => {
      core.log.error({ err: failure }, 'what had started could not be ended')
    })
    throw error
  }
}

/** Makes the one way in to what is served. */
type OpenDoor = (served: Pick<Assembled, 'registry' | 'the'>) => Dispatcher

async function run(
  parts: readonly Part<unknown>[],
  core: Core,
  opened: OpenDoor,
): Promise<Assembled> {
  const { config, log, eventLog, loops, ending } = core
  const services = new Map<unknown, unknown>()
  const opens: (() => unknown)[] = []
  const drains: (() => unknown)[] = []
  const checks: Check[] = []
  const the = <S>(wanted: Part<S>): S => {
    if (!services.has(wanted)) throw new Error(`the part ${wanted.name} has not started yet`)
    // A part's service is what its own start has made.
    return services.get(wanted) as S
  }
  let lists: Pick<Assembled, 'registry' | 'notifications' | 'dispatcher'> | null = null
  const known = () => {
    if (lists) return lists
    throw new Error('what is served is known once all parts have started')
  }
  const kernel: Kernel = {
    ...core,
    the,
    served: () => known().registry,
    door: () => known().dispatcher,
    changed: (path) => lists?.notifications.resourceChanged(path),
    check: (check) => checks.push(check),
    checks,
    onOpen: (open) => opens.push(open),
    onDrain: (drain) => drains.push(drain),
    onClose: (close) => ending.add(close),
  }
  const served = []
  for (const part of parts) {
    const started = await part.start(kernel)
    services.set(part, started.service)
    served.push(started.served)
  }
  const registry = new Registry(served, {
    toolsets: toolsetNames(config.CATALYST_TOOLSETS),
    readOnly: config.CATALYST_READ_ONLY === 'true',
    grants: null,
  })
  const { subscriptions_per_client: subscriptions, streams_per_client: streams } =
    config.policy.limits
  const notifications = new Notifications({ registry, log, limit: { subscriptions, streams } })
  const dispatcher = opened({ registry, the })
  lists = { registry, notifications, dispatcher }
  eventLog.subscribe((published) => notifications.eventsPublished(published))
  for (const open of opens) await open()
  loops.begin()
  return {
    the,
    registry,
    notifications,
    dispatcher,
    drain: async () => {
      await Promise.all(drains.map((drain) => drain()))
    },
  }
}
