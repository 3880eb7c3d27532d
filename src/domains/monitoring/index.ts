import { part } from '../../kernel/part.js'
import { hasRoom } from '../../platform/postgres/room.js'
import { cache } from '../cache/index.js'
import { jobs } from '../jobs/index.js'
import { schema } from '../migrations/index.js'
import { CallTally } from './call-tally.js'
import { ProcessWatch } from './checks/server.js'
import { DiskWatch } from './disk-watch.js'
import { Exposition } from './exposition.js'
import { figuresOf } from './figures.js'
import { History } from './history.js'
import { FindingLedger } from './ledger.js'
import { Observer } from './observer.js'
import * as resources from './resources.js'
import { Sampler } from './sampler.js'
import { MonitoringService } from './service.js'
import { databaseChecks, monitorConnection, ownChecks } from './watch.js'

/** How everything is. */
export const monitoring = part({
  name: 'monitoring',
  tasks: 'health, findings, locks, slow queries, tables, metrics over time, what to do next',
  resources,
  start: (kernel) => {
    const { config, systems, database, health, clock, commits, calls, loops, log, serverId, the } =
      kernel
    const { pooled, direct } = systems
    const limits = config.policy.monitoring
    const sampleMs = limits.sample_seconds * 1_000
    const disk = new DiskWatch({ ...kernel, hasRoom: () => hasRoom(direct) })
    commits.onFailure((error) => disk.failed(error))
    commits.onCommit(() => disk.wrote())
    const monitor = monitorConnection(direct)
    kernel.onClose(() => monitor.close())
    const failed = (error: unknown) => log.debug({ err: error }, 'something could not be looked at')
    const observer = new Observer({ connection: monitor, clock, sampleMs, failed })
    const process = new ProcessWatch()
    kernel.onClose(() => process.stop())
    const tally = new CallTally()
    calls.onCall((call) => tally.ended(call))
    const pool = () => ({ ...database.stats, max: config.CATALYST_POOL_MAX })
    const facts = {
      process,
      server: serverId,
      ownMsPerMinute: () => observer.ownMsPerMinute,
      dataDirectory: config.DATABASE_URL ? null : config.CATALYST_DATA_DIR,
      pool,
    }
    const own = [...databaseChecks(observer, limits), ...ownChecks(observer, limits, facts)]
    for (const check of own) kernel.check(check)
    const sampler = new Sampler({
      look: async () => {
        process.sample()
        await observer.round()
      },
      checks: () => kernel.checks,
      isUp: () => 'value' in observer.pulse,
      clock,
      failed: (error) => log.warn({ err: error }, 'a check could not be made'),
    })
    const ledger = new FindingLedger({ database, sampleMs })
    const history = new History({
      database,
      clock,
      serverId,
      sampleMs,
      keepMinutesDays: limits.keep_minutes_days,
      keepDays: limits.keep_days,
    })
    kernel.onClose(() => history.leave())
    const service = new MonitoringService({
      connection: health,
      pooled,
      direct,
      writing: () => disk.look(),
      postgresEngine: config.DATABASE_URL ? 'external' : 'embedded',
      cacheEngine: systems.cache.engine,
      cacheHealth: () => systems.cache.store.health(),
      pool,
      schema: () => the(schema).state,
      queueTrouble: () => the(jobs).trouble,
      checks: kernel.checks,
      clock,
      monitor,
      observer,
      sampler,
      told: () => ledger.told,
      history,
      sampleMs,
      servesTool: (name) => kernel.served().tools.has(name),
      exposition: () => exposition.text(),
    })
    const rpoSeconds = () => service.rpoSeconds
    const cacheFigures = () => the(cache).figures
    const exposition = new Exposition({
      observer,
      figures: () => history.ring.at(-1)?.figures ?? {},
      findings: () => sampler.verdicts.findings,
      pool,
      loops,
      isTool: (name) => kernel.served().tools.has(name),
    })
    calls.onCall((call) => exposition.ended(call))
    loops.every('looking how the database is', { everyMs: sampleMs }, async () => {
      await sampler.sample()
      history.add(
        figuresOf({
          observer,
          process,
          calls: tally,
          pool,
          cache: cacheFigures,
          rpoSeconds,
          sampleMs,
        }),
      )
      telling.wake()
    })
    const after = the(schema).current
    const telling = loops.every('telling of findings', { everyMs: sampleMs, after }, async () => {
      // What is away cannot be written to; that is told as such.
      if ('value' in observer.pulse && sampler.verdicts.at)
        await ledger.settle(sampler.verdicts.findings)
    })
    loops.every(
      'writing the history of figures',
      { everyMs: Math.min(sampleMs, 5_000), after },
      () => history.write(),
    )
    return service
  },
})
