import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { digestOf, type Question } from '../../lib/confirmation.js'
import { describeIssues } from '../../lib/issues.js'
import { type Adopting, questionOf } from '../../platform/postgres/roles/adoption.js'
import { newMigration, type Origin } from './create-migration.js'
import { DestructiveGate, type GateDeps } from './destructive-gate.js'
import { writeMigration } from './new-files.js'
import { downQuestion, repairQuestion, upQuestion } from './questions.js'
import type { MigrationActor, RollbackOptions, RunOptions, UpPlan } from './report.js'
import { CreateInput, type CreateRequest } from './schemas.js'
import type { MigrationService } from './service.js'

/** What clients and operators work with. */
export interface OperationDeps extends GateDeps {
  readonly runner: MigrationService
  /** Hands over what the migrations of clients may change. */
  readonly adopting: Adopting
  /** The operator's folder, where new migrations are written. */
  readonly directory: string
}

/** Who runs migrations, and how they are stopped and followed. */
export interface MigrationCall
  extends Pick<Caller, 'principal' | 'signal' | 'confirmedPlan' | 'progress'> {
  readonly requestId: string | null
}

interface UpRequest {
  /** Null for the newest. */
  readonly target: number | null
  readonly dry_run: boolean
}

interface RollbackRequest {
  readonly target: number
  /** Only before an older release is installed. */
  readonly includeBuiltIn?: boolean
}

/** The product's own versions end here. */
const LAST_BUILT_IN = 999

/** What may be asked of migrations: the runner behind the policy and the confirmation. */
export class MigrationOperations {
  readonly #deps: OperationDeps
  readonly #gate: DestructiveGate

  constructor(deps: OperationDeps) {
    this.#deps = deps
    this.#gate = new DestructiveGate(deps)
  }

  /** Where the schema stands, and what is wrong between files and database. */
  status() {
    return this.#deps.runner.status()
  }

  /** A page of what was done to the schema, newest first. */
  async history(query: Parameters<MigrationService['history']>[0]) {
    const { items, next_cursor } = await this.#deps.runner.history(query)
    return { migrations: items, next_cursor }
  }

  /**
   * What has to be confirmed before `up`; null when nothing has to be.
   *
   * @throws AppError `permission_denied` when the policy refuses it
   */
  async askUp({ target, dry_run }: UpRequest, signal?: AbortSignal): Promise<Question | null> {
    return dry_run ? null : this.#questionOf(await this.#deps.runner.planUp(target, signal))
  }

  /**
   * Applies what is pending, or runs it and undoes it.
   *
   * @throws AppError `conflict` when it is not what was confirmed, `permission_denied` when the policy
   *   refuses it
   */
  async up({ target, dry_run }: UpRequest, call: MigrationCall) {
    const { runner } = this.#deps
    const plan = await runner.planUp(target, call.signal)
    if (dry_run) {
      if (plan.destructive) this.#gate.checkLocks()
      return runner.dryRun({ ...runOptions(call), target })
    }
    const question = this.#questionOf(plan)
    const isDone = plan.migrations.length === 0
    const confirmedPlan = isDone ? null : confirmedDigest(question, plan.digest, call)
    return this.#underPolicy(runner.up({ ...runOptions(call), target, confirmedPlan }))
  }

  /**
   * What has to be confirmed before `rollback`, with what it loses: for that the scripts are tried once
   * and rolled back. Null when there is nothing to undo.
   */
  async askRollback(
    { target, includeBuiltIn = false }: RollbackRequest,
    call: MigrationCall,
  ): Promise<Question | null> {
    const { runner } = this.#deps
    const plan = await runner.planDown(target, includeBuiltIn, call.signal)
    if (plan.rollbacks.length === 0) return null
    this.#gate.check()
    const options = { ...runOptions(call), target, includeBuiltIn }
    const measured = plan.losses === null ? await runner.measureDown(options) : plan
    return downQuestion(measured, this.#gate.market)
  }

  /**
   * Undoes everything above the target.
   *
   * @throws AppError `conflict` when it is not what was confirmed, `permission_denied` when the policy
   *   refuses it
   */
  async rollback({ target, includeBuiltIn = false }: RollbackRequest, call: MigrationCall) {
    const { runner } = this.#deps
    const plan = await runner.planDown(target, includeBuiltIn, call.signal)
    const options: RollbackOptions = { ...runOptions(call), target, includeBuiltIn }
    if (plan.rollbacks.length === 0) return runner.rollback(options)
    this.#gate.check()
    const question = downQuestion(plan, this.#gate.market)
    const confirmedPlan = confirmedDigest(question, plan.digest, call)
    return this.#underPolicy(runner.rollback({ ...options, confirmedPlan }))
  }

  /** Notes the operator's files up to a version as applied, without running them. */
  baseline(version: number, call: MigrationCall) {
    return this.#deps.runner.baseline(version, actorOf(call))
  }

  /** The row changes that have to be confirmed before `repair`; null when there are none. */
  async askRepair(): Promise<Question | null> {
    const plan = await this.#deps.runner.planRepair()
    return plan.changes.length === 0 ? null : repairQuestion(plan)
  }

  /**
   * Makes the ledger agree with the files.
   *
   * @throws AppError `conflict` when the changes are not those that were confirmed
   */
  async repair(call: MigrationCall) {
    const { runner } = this.#deps
    const plan = await runner.planRepair()
    if (plan.changes.length === 0) return plan
    return runner.repair(actorOf(call), confirmedDigest(repairQuestion(plan), plan.digest, call))
  }

  /** The lines that hand a schema or a table over to the role of the scripts of clients, and the question before they are run. */
  async askAdopt(name: string) {
    const adoption = await this.#deps.adopting.plan(name)
    return { adoption, question: questionOf(adoption) }
  }

  /**
   * Runs these lines, all or none.
   *
   * @throws AppError `conflict` when they are not those that were confirmed
   */
  adopt(name: string, confirmedPlan: string) {
    return this.#deps.adopting.run(name, confirmedPlan)
  }

  /**
   * Writes a migration under the next free version.
   *
   * @throws AppError `invalid_input` for SQL that could never be run; nothing is written then
   */
  async create(request: CreateRequest, origin: Origin, signal?: AbortSignal) {
    const { runner, directory } = this.#deps
    const { migration, lint } = await runner.judging(signal, (judge) =>
      newMigration(request, origin, judge),
    )
    const { current_version } = await runner.status()
    const highest = Math.max(current_version, LAST_BUILT_IN)
    const { up_file, down_file, version } = await writeMigration(directory, highest, migration)
    return { migration_file: up_file, down_file, version, lint }
  }

  /**
   * The same for who runs the server, on the command line.
   *
   * @throws AppError `invalid_input` that names every field that is wrong
   */
  createByOperator(request: Readonly<Record<string, unknown>>) {
    const parsed = CreateInput.safeParse(request)
    if (parsed.success) return this.create(parsed.data, 'operator')
    throw new AppError('invalid_input', describeIssues(parsed.error), {
      hint: 'Nothing was written; see "catalyst-db migrate create --help".',
    })
  }

  /** What a run was measured to lose needs the policy's leave as well. */
  async #underPolicy<T>(run: Promise<T>): Promise<T> {
    try {
      return await run
    } catch (error) {
      if (error instanceof AppError && error.code === 'confirmation_required') this.#gate.check()
      throw error
    }
  }

  #questionOf(plan: UpPlan): Question | null {
    if (!plan.destructive) return null
    this.#gate.check()
    return upQuestion(plan, this.#gate.market)
  }
}

const actorOf = ({ principal, requestId }: MigrationCall): MigrationActor => ({
  by: principal,
  requestId,
})

/** Nothing is confirmed yet: that is decided where the plan is known. */
const runOptions = (call: MigrationCall): Omit<RunOptions, 'target'> => ({
  actor: actorOf(call),
  confirmedPlan: null,
  signal: call.signal,
  progress: call.progress,
})

/** The runner's name for what was confirmed, which it compares again under its lock. */
function confirmedDigest(
  question: Question | null,
  digest: string,
  { confirmedPlan }: MigrationCall,
): string | null {
  if (!question && confirmedPlan === null) return null
  if (question && digestOf(question.plan) === confirmedPlan) return digest
  throw new AppError('conflict', 'What would run now is not what was confirmed; nothing ran.', {
    hint: 'Look at the plan as it is now, and confirm that.',
  })
}
