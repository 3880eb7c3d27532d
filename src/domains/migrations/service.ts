import { AppError } from '../../errors.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DirectSession } from '../../platform/postgres/direct.js'
import { UnconfirmedLoss } from '../../platform/postgres/measure/guard.js'
import { OperatorLogin } from '../../platform/postgres/roles/operator-login.js'
import type { ScriptLogin } from '../../platform/postgres/roles/script-login.js'
import * as corrections from './corrections.js'
import type { Judge } from './create-migration.js'
import { DRY_RUN_NOTE, dryRun, measureAll } from './dry-run.js'
import { type Folders, isBuiltIn } from './files.js'
import { type Inventory, newestOf, refuseProblems, takeInventory, unfinished } from './inventory.js'
import {
  type Author,
  hasLedger,
  inTransaction,
  knownLosses,
  type MigrationActor,
  openLedger,
  readLedger,
} from './ledger.js'
import { type LedgerRow, listLog, recordLosses } from './ledger.sql.js'
import { Linting } from './linting.js'
import { type FileLosses, unconfirmed } from './losses.js'
import { type Course, digestOfScripts, type Plan, planOf, prepare, type Task } from './plan.js'
import { type Run, runAll } from './run.js'
import { asRunner, isRunning } from './runner.js'
import type { Problem } from './schemas.js'

/** What the runner works with. */
export interface MigrationDeps extends Folders {
  readonly endpoint: Endpoint
  readonly appVersion: string
  /** Called after commits that wrote events. */
  readonly committed?: () => void
  /** As whom scripts run; the product's own role when it is left out. */
  readonly scripts?: ScriptLogin
}

/** How a run is decided, stopped and followed. */
export interface RunOptions extends Pick<Run, 'actor' | 'signal' | 'progress'> {
  /** Whether exactly this plan was confirmed; throws when it must not run. Asked under the lock. */
  confirms(plan: Plan): boolean
}

/** Where the schema stands: `current`, or why not. */
export interface SchemaState {
  readonly state: 'current' | 'pending' | 'failed'
  readonly reason: string | null
}

const AT_START: MigrationActor = { by: 'server start', requestId: null }
const ALL_UP: Course = { direction: 'up', target: null }

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
  async applyBuiltIn(signal: AbortSignal = new AbortController().signal) {
    const builtIn = new MigrationService({ ...this.#deps, operatorDir: null })
    const isCurrent = await builtIn.#read(async (session, { pending, problems }) => {
      await this.#deps.scripts?.prepare(session)
      refuseProblems(problems)
      return pending.length === 0
    })
    if (isCurrent) return []
    const options = { actor: AT_START, signal, progress: () => {}, confirms: () => false }
    return (await builtIn.#run(ALL_UP, options)).results
  }

  /** Whether the product's own migrations are applied, for whoever only looks. */
  standing(): Promise<SchemaState> {
    const builtIn = new MigrationService({ ...this.#deps, operatorDir: null })
    return builtIn.#read(async (_, { pending, problems: [problem] }) => {
      if (problem) return { state: 'failed', reason: `${problem.message} ${problem.next_step}` }
      if (pending.length === 0) return { state: 'current', reason: null }
      const reason = `${pending.length} migrations of this version are not applied: a server applies them when it starts.`
      return { state: 'pending', reason }
    })
  }

  /** Where the schema stands, and what is wrong between files and database. Reads only. */
  status() {
    return this.#read(async (session, { pending, problems, rows }) => {
      const attempts = pending.flatMap(({ attempt }) => attempt ?? [])
      // While a runner is at work, what has no end yet may still get one.
      const isOpen = await isRunning(session)
      const failed: Problem[] = attempts
        .filter(({ error }) => !isOpen || error !== null)
        .map(unfinished)
      return {
        current_version: newestOf(rows),
        pending_migrations: pending.map(({ migration: { version, name, directives } }) => ({
          version,
          name,
          description: directives.description,
        })),
        problems: [...problems, ...failed],
      }
    })
  }

  /** What was done to the schema, newest first; a page of the append-only log. */
  async history({ limit, cursor = [] }: { limit: number; cursor?: PageKey | undefined }) {
    const rows = await DirectSession.use(this.#deps.endpoint, async (session) =>
      (await hasLedger(session)) ? session.many(listLog(limit, cursor[0] ?? null)) : [],
    )
    return pageOf(rows, limit, ({ log_id }) => [log_id])
  }

  /**
   * What would run now, with what it was measured to lose. Reads only, takes no lock.
   *
   * @throws AppError when something is wrong that a run would refuse
   */
  plan(course: Course, signal?: AbortSignal): Promise<Plan> {
    return DirectSession.use(this.#deps.endpoint, async (session) =>
      this.#plan(session, course, await readLedger(session), signal),
    )
  }

  /** The same with what it loses: the scripts are tried and rolled back to see that. */
  measured(course: Course, options: RunOptions): Promise<Plan> {
    return this.#asRunner(options.signal, async (session) => {
      const rows = await openLedger(this.#author(session, options.actor))
      const { tasks } = await this.#plan(session, course, rows, options.signal)
      return planOf(course, tasks, rows, await this.#measure(this.#runOf(session, options), tasks))
    })
  }

  /**
   * Judges texts as if they were the next files to run: with the tables as they are, and those that
   * pending files make.
   */
  judging<T>(signal: AbortSignal | undefined, work: (judge: Judge) => Promise<T>): Promise<T> {
    return this.#read(async (session, { pending }) => {
      const linting = new Linting(session)
      for (const { migration } of pending.filter((one) => !isBuiltIn(one.migration))) {
        const { file, upSql: text, downSql } = migration
        try {
          await linting.ofText({ file, text, hasDown: downSql !== null }, signal)
        } catch (error) {
          // A file that cannot be run makes no table, and is told of by whoever runs it.
          if (!(error instanceof AppError) || signal?.aborted) throw error
        }
      }
      return work((file, text, hasDown) => linting.ofText({ file, text, hasDown }, signal))
    })
  }

  /**
   * Lints the named files, or all of the folder, with the tables as they are.
   *
   * @throws AppError `not_found` for a file that cannot be read
   */
  lint(paths: readonly string[]) {
    return DirectSession.use(this.#deps.endpoint, (session) =>
      new Linting(session).ofFiles(paths, this.#deps.operatorDir ?? ''),
    )
  }

  /**
   * Applies what is pending, up to the target. What it does is measured before it is kept.
   *
   * @throws AppError `confirmation_required` when that loses data and nobody confirmed exactly this
   */
  async up({ target, ...options }: RunOptions & { readonly target: number | null }) {
    const { plan, results } = await this.#run({ direction: 'up', target }, options)
    return { migrations_applied: results, new_version: plan.version, note: null }
  }

  /**
   * Runs what is pending in a transaction and rolls it back, up to the first file that cannot be
   * undone; says what each statement took, and what would have to be confirmed.
   */
  async dryRun({ target, ...options }: RunOptions & { readonly target: number | null }) {
    return this.#asRunner(options.signal, async (session) => {
      const course = { direction: 'up', target } as const
      const plan = await this.#plan(session, course, await readLedger(session), options.signal)
      options.confirms(plan)
      const results = await dryRun(this.#runOf(session, options), plan.tasks)
      const ran = results.some(({ status }) => status === 'dry_run')
      const note = ran ? DRY_RUN_NOTE : null
      return { migrations_applied: results, new_version: plan.version, note }
    })
  }

  /**
   * Runs the down scripts, as stored when they were applied, of everything above the target.
   *
   * @throws AppError `confirmation_required` when they lose more than was confirmed
   */
  async rollback({
    target,
    includeBuiltIn,
    ...options
  }: RunOptions & { readonly target: number; readonly includeBuiltIn: boolean }) {
    const { plan, results } = await this.#run(
      { direction: 'down', target, includeBuiltIn },
      options,
    )
    return { rolled_back: results.map(({ version }) => version), current_version: plan.version }
  }

  /**
   * Records the operator's pending files up to a version as applied, without running them.
   *
   * @throws AppError `invalid_input` when it is not the version of one of these files
   */
  baseline(version: number, actor: MigrationActor): Promise<{ recorded: number[] }> {
    return this.#correcting(actor, async (author, inventory) => {
      const recorded = await corrections.baselineOf(inventory, version, author)
      await corrections.correct(author, recorded)
      return { recorded: recorded.map((one) => one.version) }
    })
  }

  /** The row changes that would make the ledger agree with the operator's files. */
  planRepair(): Promise<corrections.RepairPlan> {
    return this.#read(async (_, inventory) => corrections.planOf(corrections.repairsOf(inventory)))
  }

  /**
   * Makes them, all or none.
   *
   * @throws AppError `conflict` when they are no longer those that were confirmed
   */
  repair(
    actor: MigrationActor,
    confirms: (plan: corrections.RepairPlan) => boolean,
  ): Promise<corrections.RepairPlan> {
    return this.#correcting(actor, async (author, inventory) => {
      const repairs = corrections.repairsOf(inventory)
      const plan = corrections.planOf(repairs)
      confirms(plan)
      await corrections.correct(author, repairs)
      return plan
    })
  }

  /** Under the lock: planned, confirmed, run, and measured anew when it lost what was not confirmed. */
  #run(course: Course, options: RunOptions) {
    return this.#asRunner(options.signal, async (session) => {
      const rows = await openLedger(this.#author(session, options.actor))
      const plan = await this.#plan(session, course, rows, options.signal)
      const confirmed = options.confirms(plan) ? plan.losses : []
      const run = this.#runOf(session, options)
      try {
        return { plan, results: await runAll(run, plan.tasks, confirmed) }
      } catch (error) {
        if (!(error instanceof UnconfirmedLoss)) throw error
        const { done } = error
        const rest = plan.tasks.filter(({ version }) => !done.includes(version))
        throw unconfirmed(await this.#measure(run, rest), done)
      }
    })
  }

  async #plan(
    session: DirectSession,
    course: Course,
    rows: readonly LedgerRow[],
    signal?: AbortSignal,
  ): Promise<Plan> {
    // Down scripts are in the ledger, whatever became of the files.
    const inventory: Inventory =
      course.direction === 'up'
        ? await takeInventory(this.#deps, rows)
        : { rows, migrations: [], pending: [], problems: [] }
    const tasks = await prepare(course, inventory, new Linting(session), signal)
    const known = await knownLosses(session, digestOfScripts(tasks))
    return planOf(course, tasks, inventory.rows, known)
  }

  /** Tries scripts to see what they lose, and keeps the answer under the digest of the plan. */
  async #measure(run: Run, tasks: readonly Task[]): Promise<readonly FileLosses[]> {
    const measured = await measureAll(run, tasks)
    const found = measured.filter(({ losses }) => losses.length > 0)
    await run.session.many(recordLosses(digestOfScripts(tasks), found))
    return found
  }

  #runOf(session: DirectSession, options: RunOptions): Run {
    const { endpoint, appVersion, scripts = new OperatorLogin(endpoint) } = this.#deps
    const { actor, signal, progress } = options
    return { endpoint, appVersion, scripts, session, actor, signal, progress }
  }

  #author(session: DirectSession, actor: MigrationActor): Author {
    return { session, actor, appVersion: this.#deps.appVersion }
  }

  #read<T>(work: (session: DirectSession, inventory: Inventory) => Promise<T>): Promise<T> {
    return DirectSession.use(this.#deps.endpoint, async (session) =>
      work(session, await takeInventory(this.#deps, await readLedger(session))),
    )
  }

  /** All changes of the ledger alone are one transaction. */
  #correcting<T>(
    actor: MigrationActor,
    work: (author: Author, inventory: Inventory) => Promise<T>,
  ): Promise<T> {
    return this.#asRunner(new AbortController().signal, async (session) => {
      const author = this.#author(session, actor)
      const inventory = await takeInventory(this.#deps, await openLedger(author))
      return inTransaction(session, () => work(author, inventory))
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
