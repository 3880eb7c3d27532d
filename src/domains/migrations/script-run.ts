import { AppError } from '../../errors.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { isConnectionLoss } from '../../platform/postgres/errors.js'
import { repeatWhenLocked } from '../../platform/postgres/policies.js'
import { sql } from '../../platform/postgres/sql.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { watchingLocks } from './lock-watch.js'
import { Observation } from './observation.js'
import type { MigrationActor } from './report.js'
import { assertLockHeld } from './runner-lock.js'
import { changesSchema } from './schema-changes.js'
import type { Script, Step } from './script.js'
import { type NextStep, scriptFailure } from './script-failure.js'
import * as statements from './session.sql.js'

/** What a run works with, whatever scripts it runs. */
export interface RunContext {
  readonly endpoint: Endpoint
  readonly session: DirectSession
  readonly actor: MigrationActor
  readonly appVersion: string
  readonly signal: AbortSignal
  /** Where the log is decoded (`wal_level = logical`), it must say when the schema changes. */
  readonly marksSchemaChanges: boolean
  /** In a dry run, the relations (by oid) that were there before its first file. */
  readonly existing?: ReadonlySet<string>
  /** Told after each statement. */
  stepDone(task: ScriptTask, step: Step): void
}

/** One script to be run for one migration. */
export interface ScriptTask {
  readonly version: number
  readonly name: string
  readonly script: Script
  /** Statements that an earlier attempt has recorded as done. */
  readonly done: number
  /** An earlier attempt began the next statement, and nobody recorded how it ended. */
  readonly isInDoubt: boolean
  /** What goes on after a failure, once the script is corrected. */
  readonly next: NextStep
}

/** How a script went. */
export interface ScriptOutcome {
  readonly duration_ms: number
  readonly statement_ms: readonly number[]
  /** Null where each statement was for itself: its locks are gone with it. */
  readonly observed: Observation | null
}

/** A queued ALTER blocks every later reader of its table. */
const LOCK_TIMEOUT_MS = 3_000
/** A statement keeps the locks of all before it, so a longer one is to be asked for. */
const STATEMENT_TIMEOUT_MS = 300_000

/** The limits of a step: what runs outside of transactions blocks nobody while it waits. */
export function limitsOf({ directives }: Script, step: Step | null): string[] {
  const isAlone = step?.standalone != null
  const lockMs = directives.lockTimeoutMs ?? (isAlone ? 0 : LOCK_TIMEOUT_MS)
  const statementMs = directives.statementTimeoutMs ?? (isAlone ? 0 : STATEMENT_TIMEOUT_MS)
  return [`lock_timeout = ${lockMs}`, `statement_timeout = ${statementMs}`]
}

/** Opens a transaction with the limits of a script; of one of its steps where each is for itself. */
export async function begin(
  session: DirectSession,
  script: Script,
  step: Step | null,
): Promise<void> {
  const limits = limitsOf(script, step).map((limit) => `set local ${limit}`)
  await session.many(sql.trusted(['begin', ...limits].join('; ')))
}

/** Milliseconds since a reading of `performance.now()`, to the microsecond. */
export const elapsedMs = (started: number): number =>
  Math.round((performance.now() - started) * 1_000) / 1_000

/**
 * Runs a script as one transaction, again while locks are not free.
 *
 * @param record writes, in the same transaction, that it was done
 */
export async function runAsTransaction(
  context: RunContext,
  task: ScriptTask,
  record: (durationMs: number) => Promise<void>,
): Promise<ScriptOutcome> {
  const { session } = context
  return withRepeats(context, async (blockers) => {
    const started = performance.now()
    await begin(session, task.script, null)
    const ran = await runStatements(context, task, {
      kept: 'Nothing of the file was kept.',
      blockers,
    })
    const duration_ms = elapsedMs(started)
    await commit(context, () => record(duration_ms))
    return { duration_ms, ...ran }
  })
}

/** Runs all statements of a script in the open transaction and sees what each takes. */
export async function runStatements(
  context: RunContext,
  task: ScriptTask,
  place: Omit<PlacedStep, keyof Step>,
): Promise<{ statement_ms: number[]; observed: Observation }> {
  const observed = await Observation.begin(context)
  const statement_ms: number[] = []
  for (const step of task.script.steps) {
    statement_ms.push(await execute(context, task, { ...step, ...place }))
    await observed.note(step)
    context.stepDone(task, step)
  }
  return { statement_ms, observed }
}

/** Ends a transaction together with the record of it. */
export async function commit(context: RunContext, record: () => Promise<void>): Promise<void> {
  const { session } = context
  await session.many(statements.resetRole())
  await assertLockHeld(session)
  await record()
  const tag = await session.command('commit').catch((error: unknown) => {
    throw isConnectionLoss(error) ? commitUnanswered(error) : error
  })
  // https://www.postgresql.org/docs/current/sql-commit.html: a failed transaction answers ROLLBACK.
  if (tag !== 'COMMIT') throw new Error(`a transaction of a migration ended with ${tag}`)
}

const commitUnanswered = (cause: unknown): AppError =>
  new AppError('outcome_unknown', 'The connection was lost while a migration was committed.', {
    hint: 'Read catalyst://db/migrations/status or run "catalyst-db migrate status": it tells whether it was. To run the same again is safe.',
    cause,
  })

/** A step with what a failure of it is told with. */
export interface PlacedStep extends Step {
  readonly kept: string
  readonly blockers: readonly statements.Blocker[]
}

/** Runs one statement and answers its milliseconds; its failure is told with its place. */
export async function execute(
  context: RunContext,
  task: ScriptTask,
  { statement, kept, blockers }: PlacedStep,
): Promise<number> {
  const { session, signal } = context
  const { script, next } = task
  if (context.marksSchemaChanges && changesSchema(statement)) {
    await session.many(statements.emitSchemaChange(markOf(task, statement)))
  }
  const started = performance.now()
  try {
    await session.command(statement.text, signal)
    return elapsedMs(started)
  } catch (error) {
    const place = { file: script.file, statement, total: script.steps.length }
    throw scriptFailure(error, { ...place, kept, next, blockers, signal })
  }
}

const markOf = ({ version, script }: ScriptTask, { index, kind, text }: ScriptStatement): string =>
  JSON.stringify({ version, file: script.file, statement: index, kind, sql: text })

/**
 * Runs `work` again, rolled back before, while its locks are not free; from the second time on it is
 * looked for whom it waits.
 */
export async function withRepeats<T>(
  context: RunContext,
  work: (blockers: readonly statements.Blocker[]) => Promise<T>,
): Promise<T> {
  const blockers: statements.Blocker[] = []
  const saw = (found: readonly statements.Blocker[]): void => {
    blockers.splice(0, blockers.length, ...found)
  }
  const once = async (): Promise<T> => {
    try {
      return await work(blockers)
    } catch (error) {
      // On a lost connection PostgreSQL has done so already.
      await context.session.command('rollback').catch(() => {})
      throw error
    }
  }
  return repeatWhenLocked(context.signal, (attempt) =>
    attempt === 0 ? once() : watchingLocks(context, saw, once),
  )
}
