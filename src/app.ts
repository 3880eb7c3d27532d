import type { Config } from './config.js'
import { assistant } from './domains/assistant/index.js'
import { backups, restores } from './domains/backups/index.js'
import type { BackupService } from './domains/backups/service.js'
import { cache } from './domains/cache/index.js'
import { events } from './domains/events/index.js'
import { explore, query } from './domains/explore/index.js'
import { jobs } from './domains/jobs/index.js'
import { marketClock, news, prices, securities } from './domains/market/index.js'
import { migrations, schema } from './domains/migrations/index.js'
import { monitoring } from './domains/monitoring/index.js'
import { sessions } from './domains/sessions/index.js'
import { sync } from './domains/sync/index.js'
import { patterns, signals, trades } from './domains/trading/index.js'
import { tuning } from './domains/tuning/index.js'
import { assemble } from './kernel/assemble.js'
import { openCore } from './kernel/core.js'
import type { Part } from './kernel/part.js'
import { toolsetNames, toolsetProblem } from './lib/scope.js'
import { Dispatcher } from './mcp/dispatcher.js'
import { Registry } from './mcp/registry.js'
import type { Serving } from './mcp/server.js'
import type { Log } from './platform/log.js'
import { ConfirmationStore } from './platform/postgres/confirmations.js'
import { describe, type RunningPart } from './systems.js'

/** Every part of the product, in the order in which they start. One that needs another comes after it. */
export const PARTS: readonly Part<unknown>[] = [
  schema,
  cache,
  securities,
  news,
  prices,
  marketClock,
  signals,
  trades,
  patterns,
  migrations,
  sync,
  backups,
  restores,
  sessions,
  jobs,
  events,
  monitoring,
  query,
  tuning,
  explore,
  assistant,
]

/** Why the toolsets of the settings cannot be served; null when they can. */
export const checkToolsets = ({ CATALYST_TOOLSETS: names }: Config): string | null =>
  names === undefined
    ? null
    : toolsetProblem(
        toolsetNames(names),
        new Registry(PARTS.map(({ described }) => described)).toolsets,
      )

/** Everything that runs. */
export interface App {
  readonly serving: Serving
  /** For commands, which are not clients. */
  readonly backups: BackupService
  /** What is known of the schema now. */
  readonly schema: { readonly state: { readonly state: string; readonly reason: string | null } }
  /** Why calls should be sent elsewhere for now; null when this server can do its work. */
  notReady(): Promise<string | null>
  /** The metrics of this server, as they are scraped. */
  metrics(): Promise<{ readonly type: string; readonly body: string }>
  /** What runs where, one line each, without secrets. */
  readonly description: readonly RunningPart[]
  /** Hands long operations on and lets those go who wait for them; the first step of ending. */
  drain(): Promise<void>
  /** Lets running work finish, closes every connection, and leaves the embedded services. */
  close(): Promise<void>
}

/** Starts the product, with further parts if there are any. */
export async function openApp(
  config: Config,
  log: Log,
  further: readonly Part<unknown>[] = [],
): Promise<App> {
  const core = await openCore(config, log)
  const { database, audit, systems, ending } = core
  const { the, registry, notifications, dispatcher, drain } = await assemble(
    [...PARTS, ...further],
    core,
    ({ registry, the }) =>
      new Dispatcher({
        registry,
        unitsOfWork: the(sessions),
        jobs: the(jobs),
        confirmations: new ConfirmationStore({ database, audit }),
        audit,
        heard: (call) => core.calls.ended(call),
        explain: (error) => the(schema).explain(error),
        log,
      }),
  )
  return {
    serving: { registry, dispatcher, jobs: the(jobs), notifications },
    backups: the(backups),
    schema: the(schema),
    notReady: () => the(monitoring).notReady(),
    metrics: () => the(monitoring).scraped(),
    description: describe(config, systems),
    drain: async () => {
      await drain()
      await dispatcher.settled()
    },
    close: () => ending.run(),
  }
}
