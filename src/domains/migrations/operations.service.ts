import { AppError } from '../../errors.js'
import type { Caller } from '../../lib/caller.js'
import { digestOf, type Question } from '../../lib/confirmation.js'
import { describeIssues } from '../../lib/issues.js'
import { type Adopting, questionOf } from '../../platform/postgres/roles/adoption.js'
import type { RepairPlan } from './corrections.js'
import { newMigration, type Origin } from './create-migration.js'
import { LAST_BUILT_IN } from './files.js'
import { DestructiveGate, type GateDeps } from './gate.js'
import { writeMigration } from './new-files.js'
import { type Course, isConfirmed, type Plan } from './plan.js'
import { CreateInput, type CreateRequest } from './schemas.js'
import type { MigrationService, RunOptions } from './service.js'

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
    if (dry_run) return null
    return this.#gate.questionOf(await this.#deps.runner.plan({ direction: 'up', target }, signal))
  }

  /**
   * Applies what is pending, or runs it and undoes it.
   *
   * @throws AppError `conflict` when it is not what was confirmed, `permission_denied` when the policy
   *   refuses it
   */
  up({ target, dry_run }: UpRequest, call: MigrationCall) {
    const { runner } = this.#deps
    if (!dry_run) return this.#underPolicy(runner.up({ target, ...this.#optionsOf(call) }))
    const confirms = ({ destructive }: Plan): boolean => {
      if (destructive) this.#gate.checkLocks()
      return false
    }
    return runner.dryRun({ target, ...this.#optionsOf(call), confirms })
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
    const course: Course = { direction: 'down', target, includeBuiltIn }
    const plan = await runner.plan(course, call.signal)
    if (plan.tasks.length === 0) return null
    this.#gate.check()
    return this.#gate.questionOf(
      plan.isMeasured ? plan : await runner.measured(course, this.#optionsOf(call)),
    )
  }

  /**
   * Undoes everything above the target.
   *
   * @throws AppError `conflict` when it is not what was confirmed, `permission_denied` when the policy
   *   refuses it
   */
  rollback({ target, includeBuiltIn = false }: RollbackRequest, call: MigrationCall) {
    const options = { target, includeBuiltIn, ...this.#optionsOf(call) }
    return this.#underPolicy(this.#deps.runner.rollback(options))
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
  repair(call: MigrationCall) {
    return this.#deps.runner.repair(actorOf(call), (plan) => {
      const isNothing = plan.changes.length === 0
      return isNothing || isConfirmed(asked(repairQuestion(plan)), call.confirmedPlan)
    })
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

  #optionsOf(call: MigrationCall): RunOptions {
    const { signal, progress, confirmedPlan } = call
    const confirms = (plan: Plan): boolean =>
      plan.tasks.length > 0 && isConfirmed(asked(this.#gate.questionOf(plan)), confirmedPlan)
    return { actor: actorOf(call), signal, progress, confirms }
  }
}

const actorOf = ({ principal, requestId }: MigrationCall) => ({ by: principal, requestId })

/** A question as it is confirmed; where there is none nothing can have been. */
const asked = (question: Question | null) => ({
  digest: question ? digestOf(question.plan) : '',
  destructive: question !== null,
})

const repairQuestion = ({ changes, digest }: RepairPlan): Question => ({
  message: `Change ${changes.length} rows of the ledger, and nothing of the schema?`,
  plan: { changes, digest },
})
