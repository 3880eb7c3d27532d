import { AppError } from '../../errors.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { OperatorLogin } from '../../platform/postgres/roles/operator-login.js'
import type { ScriptLogin } from '../../platform/postgres/roles/script-login.js'
import { applyAll, type RunStart } from './apply.js'
import { isBuiltIn, refuseProblems, unfinished } from './comparison.js'
import { baselineOf, correct, planOf, repairsOf } from './corrections.js'
import type { Judge } from './create-migration.js'
import { DRY_RUN_NOTE, dryRunAll, measureAll, type Tried } from './dry-run.js'
import { UnconfirmedLoss } from './guard.js'
import { type Folders, type Inventory, newestOf, takeInventory, upTo } from './inventory.js'
import { type LintedFile, lintOne, lintPaths } from './lint-files.js'
import { Linting } from './linting.js'
import type { FileLosses } from './measure/loss.js'
import { filesDigest, type PreparedUp, planUpOf, prepareUp, withKnown } from './planning.js'
import type { Author } from './recording.js'
import { refuseErrors, refuseUnconfirmed, unconfirmed } from './refusals.js'
import type * as report from './report.js'
import { planDownOf, prepareDown, rollBackAll, scriptsDigest } from './rollback.js'
import { isRunning } from './runner-lock.js'
import {
  asRunner,
  hasCurrentLedger,
  knownLosses,
  openLedger,
  readLedger,
} from './runner-session.js'
import type { SchemaState } from './schema-state.js'
import * as ledger from './sql.js'
import { listLog } from './sql.js'

export type * from './report.js'

/** What the runner works with. */
export interface MigrationDeps extends Folders {
  readonly endpoint: Endpoint
  readonly appVersion: string
  /** Called after commits that wrote events. */
  readonly committed?: () => void
  /** As whom scripts run; the product's own role when it is left out. */
  readonly scripts?: ScriptLogin
}

const AT_START: report.MigrationActor = { by: 'server start', requestId: null }

/** Applies and undoes migration files, each exactly once, in order, whoever else tries at the same time. */
export class MigrationService {
  readonly #deps: MigrationDeps

  constructor(deps: MigrationDeps) {
    this.#deps = deps
  }

  /**
   * Applies the product's own migrations. Safe to run from several servers at once: the others wait,
   * then find nothing to do.
   *
   * @throws AppError `precondition_failed` when an applied file was edited or is missing, or when
   *   only a pooled connection is available
   */
  async applyBuiltIn(
    signal: AbortSignal = new AbortController().signal,
  ): Promise<report.MigrationResult[]> {
    const folders = { ...this.#deps, operatorDir: null }
    const isCurrent = await DirectSession.use(this.#deps.endpoint, async (session) => {
      await this.#deps.scripts?.prepare(session)
      if (!(await hasCurrentLedger(session))) return false
      const { pending, problems } = await takeInventory(folders, await readLedger(session))
      refuseProblems(problems)
      return pending.length === 0
    })
    if (isCurrent) return []
    return this.#asRunner(signal, async (session) => {
      const options = { actor: AT_START, signal, progress: () => {} }
      const author = { session, actor: AT_START, appVersion: this.#deps.appVersion }
      const { pending, problems } = await takeInventory(folders, await openLedger(author))
      refuseProblems(problems)
      const prepared = await prepareUp(pending, new Linting(session), signal)
      const scripts = new OperatorLogin(this.#deps.endpoint)
      return applyAll({ deps: this.#deps, session, options, scripts }, prepared, [])
    })
  }

  /** Whether the product's own migrations are applied, for whoever only looks. */
  async standing(): Promise<SchemaState> {
    const folders = { ...this.#deps, operatorDir: null }
    return DirectSession.use(this.#deps.endpoint, async (session) => {
      const { pending, problems } = await takeInventory(folders, await readLedger(session))
      const [problem] = problems
      if (problem) return { state: 'failed', reason: `${problem.message} ${problem.next_step}` }
      if (pending.length === 0) return { state: 'current', reason: null }
      const reason = `${pending.length} migrations of this version are not applied: a server applies them when it starts.`
      return { state: 'pending', reason }
    })
  }

  /** Where the schema stands, and what is wrong between files and database. Reads only. */
  status(): Promise<report.MigrationStatus> {
    return this.#read(async (session, { pending, problems, rows }) => {
      const attempts = pending.flatMap(({ attempt }) => attempt ?? [])
      // While a runner is at work, what has no end yet may still get one.
      const isOpen = await isRunning(session)
      const failed = attempts.filter(({ error }) => !isOpen || error !== null).map(unfinished)
      return {
        current_version: newestOf(rows),
        pending_migrations: pending.map(({ migration: { version, name, description } }) => ({
          version,
          name,
          description,
        })),
        problems: [...problems, ...failed],
      }
    })
  }

  /** What was done to the schema, newest first; a page of the append-only log. */
  async history(query: {
    readonly limit: number
    readonly cursor?: PageKey | undefined
  }): Promise<{ items: report.HistoryEntry[]; next_cursor: string | null }> {
    const [before = null] = query.cursor ?? []
    const rows = await DirectSession.use(this.#deps.endpoint, async (session) =>
      (await hasCurrentLedger(session)) ? session.many(listLog(query.limit, before)) : [],
    )
    return pageOf(rows, query.limit, ({ log_id }) => [log_id])
  }

  /**
   * What `up` would run now: parsed and linted, with what it was measured to lose. Reads only, takes no
   * lock.
   *
   * @throws AppError when something is wrong that a run would refuse
   */
  planUp(target: number | null, signal?: AbortSignal): Promise<report.UpPlan> {
    return this.#read(async (session, inventory) => {
      const prepared = await this.#prepareUp(session, inventory, target, signal)
      return this.#planUp(session, inventory, prepared)
    })
  }

  async #planUp(session: DirectSession, inventory: Inventory, prepared: PreparedUp[]) {
    return planUpOf(
      prepared,
      inventory.rows,
      (await knownLosses(session, filesDigest(prepared))) ?? [],
    )
  }

  /**
   * Judges texts as if they were the next files to run: with the tables as they are, and those that
   * pending files make.
   */
  judging<T>(signal: AbortSignal | undefined, work: (judge: Judge) => Promise<T>): Promise<T> {
    return this.#read(async (session, { pending }) => {
      const linting = new Linting(session)
      const about = signal ? { signal } : {}
      for (const { migration } of pending.filter((one) => !isBuiltIn(one.migration))) {
        const { file, upSql, downSql } = migration
        try {
          await lintOne(linting, file, upSql, { ...about, hasDown: downSql !== null })
        } catch (error) {
          // A file that cannot be run makes no table, and is told of by whoever runs it.
          if (!(error instanceof AppError) || signal?.aborted) throw error
        }
      }
      return work((file, text, hasDown) => lintOne(linting, file, text, { ...about, hasDown }))
    })
  }

  /**
   * Lints the named files, or all of the folder, with the tables as they are.
   *
   * @throws AppError `not_found` for a file that cannot be read
   */
  lint(paths: readonly string[]): Promise<LintedFile[]> {
    return DirectSession.use(this.#deps.endpoint, (session) =>
      lintPaths(paths, this.#deps.operatorDir ?? '', new Linting(session)),
    )
  }

  /**
   * Applies what is pending, up to the target. What it does is measured before it is kept.
   *
   * @throws AppError `confirmation_required` when that loses data or locks what is in use and nobody
   *   confirmed exactly this; `conflict` when the confirmed plan is no longer the one that would run
   */
  async up(options: report.RunOptions): Promise<report.UpOutcome> {
    return this.#asRunner(options.signal, async (session) => {
      const rows = await openLedger(this.#author(session, options.actor))
      const inventory = await takeInventory(this.#deps, rows)
      const prepared = await this.#prepareUp(session, inventory, options.target, options.signal)
      const plan = await this.#planUp(session, inventory, prepared)
      refuseUnconfirmed(plan, options.confirmedPlan)
      const confirmed = options.confirmedPlan === null ? [] : plan.losses
      try {
        const start = this.#start(session, options)
        const migrations_applied = await applyAll(start, prepared, confirmed)
        return { migrations_applied, new_version: plan.new_version, note: null }
      } catch (error) {
        if (!(error instanceof UnconfirmedLoss)) throw error
        const rest = prepared.filter(({ task }) => !error.done.includes(task.version))
        throw await this.#measured(session, options, {
          tried: rest,
          plan: filesDigest(rest),
          error,
        })
      }
    })
  }

  /**
   * Runs what is pending in a transaction and rolls it back, up to the first file that cannot be
   * undone; says what each statement took, and what would have to be confirmed.
   */
  async dryRun(options: report.RunOptions): Promise<report.UpOutcome> {
    return this.#asRunner(options.signal, async (session) => {
      const inventory = await takeInventory(this.#deps, await readLedger(session))
      const prepared = await this.#prepareUp(session, inventory, options.target, options.signal)
      const { results } = await dryRunAll(this.#start(session, options), prepared)
      const { new_version } = planUpOf(prepared, inventory.rows, [])
      const ran = results.some(({ status }) => status === 'dry_run')
      return { migrations_applied: results, new_version, note: ran ? DRY_RUN_NOTE : null }
    })
  }

  /**
   * What `rollback` would run now. Reads only, takes no lock.
   *
   * @throws AppError when the target is no applied version, or something above it has no way back
   */
  planDown(
    target: number,
    includeBuiltIn: boolean,
    signal?: AbortSignal,
  ): Promise<report.DownPlan> {
    return DirectSession.use(this.#deps.endpoint, async (session) => {
      const rows = await readLedger(session)
      const range = { target, includeBuiltIn }
      const prepared = await prepareDown(rows, range, new Linting(session), signal)
      return planDownOf(prepared, rows, await knownLosses(session, scriptsDigest(prepared)))
    })
  }

  /** The same, with what it loses: the scripts are tried and rolled back to see that. */
  async measureDown(options: report.RollbackOptions): Promise<report.DownPlan> {
    return this.#asRunner(options.signal, async (session) => {
      const rows = await openLedger(this.#author(session, options.actor))
      const prepared = await prepareDown(rows, options, new Linting(session), options.signal)
      const measured = await this.#measure(session, options, prepared, scriptsDigest(prepared))
      return planDownOf(prepared, rows, measured)
    })
  }

  /**
   * Runs the down scripts, as stored when they were applied, of everything above the target.
   *
   * @throws AppError `confirmation_required` without a confirmed plan, or when they lose more than it says
   */
  async rollback(options: report.RollbackOptions): Promise<report.DownOutcome> {
    return this.#asRunner(options.signal, async (session) => {
      const rows = await openLedger(this.#author(session, options.actor))
      const prepared = await prepareDown(rows, options, new Linting(session), options.signal)
      const known = await knownLosses(session, scriptsDigest(prepared))
      const plan = planDownOf(prepared, rows, known)
      refuseErrors(prepared)
      refuseUnconfirmed({ ...plan, destructive: prepared.length > 0 }, options.confirmedPlan)
      try {
        const confirmed = withKnown(prepared, known ?? [])
        const rolled_back = await rollBackAll(this.#start(session, options), prepared, confirmed)
        return { rolled_back, current_version: plan.current_version }
      } catch (error) {
        if (!(error instanceof UnconfirmedLoss)) throw error
        const rest = prepared.filter(({ row }) => !error.done.includes(row.version))
        throw await this.#measured(session, options, {
          tried: rest,
          plan: scriptsDigest(rest),
          error,
        })
      }
    })
  }

  /** Tries scripts to see what they lose, and keeps the answer under the digest of the plan. */
  async #measure(
    session: DirectSession,
    options: RunStart['options'],
    tried: readonly Tried[],
    plan: string,
  ): Promise<readonly FileLosses[]> {
    const losses = await measureAll(this.#start(session, options), tried)
    const found = losses.filter((one) => one.losses.length > 0)
    await session.many(ledger.recordLosses(plan, JSON.stringify(found)))
    return found
  }

  /** What has to be confirmed now that a run has met more than was. */
  async #measured(
    session: DirectSession,
    options: RunStart['options'],
    { tried, plan, error }: { tried: readonly Tried[]; plan: string; error: UnconfirmedLoss },
  ): Promise<AppError> {
    return unconfirmed(await this.#measure(session, options, tried, plan), error.done)
  }

  /**
   * Records the operator's pending files up to a version as applied, without running them.
   *
   * @throws AppError `invalid_input` when it is not the version of one of these files
   */
  baseline(version: number, actor: report.MigrationActor): Promise<{ recorded: number[] }> {
    return this.#correcting(actor, async (session, inventory) => {
      const corrections = await baselineOf(inventory, version, { actor, ...this.#deps })
      await correct({ session, actor, ...this.#deps }, corrections)
      return { recorded: corrections.map((one) => one.version) }
    })
  }

  /** The row changes that would make the ledger agree with the operator's files. */
  planRepair(): Promise<report.RepairPlan> {
    return this.#read(async (_, { migrations, rows }) => planOf(repairsOf(migrations, rows)))
  }

  /**
   * Makes them, all or none.
   *
   * @throws AppError `conflict` when they are no longer those that were confirmed
   */
  repair(actor: report.MigrationActor, confirmedPlan: string | null): Promise<report.RepairPlan> {
    return this.#correcting(actor, async (session, { migrations, rows }) => {
      const repairs = repairsOf(migrations, rows)
      const plan = planOf(repairs)
      refuseUnconfirmed({ ...plan, destructive: false }, confirmedPlan)
      await correct({ session, actor, ...this.#deps }, repairs)
      return plan
    })
  }

  async #prepareUp(
    session: DirectSession,
    inventory: Inventory,
    target: number | null,
    signal?: AbortSignal,
  ): Promise<PreparedUp[]> {
    refuseProblems(inventory.problems)
    const prepared = await prepareUp(upTo(inventory, target), new Linting(session), signal)
    refuseErrors(prepared)
    return prepared
  }

  #start(session: DirectSession, options: RunStart['options']): RunStart {
    const scripts = this.#deps.scripts ?? new OperatorLogin(this.#deps.endpoint)
    return { deps: this.#deps, session, options, scripts }
  }

  #author(session: DirectSession, actor: report.MigrationActor): Author {
    return { session, actor, appVersion: this.#deps.appVersion }
  }

  #read<T>(work: (session: DirectSession, inventory: Inventory) => Promise<T>): Promise<T> {
    return DirectSession.use(this.#deps.endpoint, async (session) =>
      work(session, await takeInventory(this.#deps, await readLedger(session))),
    )
  }

  /** All changes of the ledger alone are one transaction. */
  #correcting<T>(
    actor: report.MigrationActor,
    work: (session: DirectSession, inventory: Inventory) => Promise<T>,
  ): Promise<T> {
    return this.#asRunner(new AbortController().signal, async (session) => {
      const rows = await openLedger(this.#author(session, actor))
      const inventory = await takeInventory(this.#deps, rows)
      await session.command('begin')
      const result = await work(session, inventory)
      await session.command('commit')
      return result
    })
  }

  async #asRunner<T>(
    signal: AbortSignal,
    work: (session: DirectSession) => Promise<T>,
  ): Promise<T> {
    try {
      return await asRunner(this.#deps.endpoint, signal, work)
    } finally {
      this.#deps.committed?.()
    }
  }
}
