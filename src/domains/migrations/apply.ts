import { AppError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import type { Migration } from './files.js'
import type { PreparedUp } from './planning.js'
import { recordUp } from './recording.js'
import type { MigrationResult, RunOptions } from './report.js'
import { renewSession } from './runner-session.js'
import {
  type RunContext,
  runAsTransaction,
  type ScriptOutcome,
  type ScriptTask,
} from './script-run.js'
import { runStepByStep } from './single-steps.js'
import * as ledger from './sql.js'

/** What a run is started with. */
export interface RunStart {
  readonly deps: Pick<RunContext, 'endpoint' | 'appVersion'>
  readonly session: DirectSession
  readonly options: Pick<RunOptions, 'actor' | 'signal' | 'progress'>
}

/** Makes the context of a run, which counts the statements of all its scripts for the progress. */
export function contextOf(
  { deps, session, options }: RunStart,
  tasks: readonly ScriptTask[],
): Omit<RunContext, 'marksSchemaChanges'> {
  const open = tasks.map(({ script, done }) => script.steps.length - done)
  const total = open.reduce((sum, count) => sum + count, 0)
  return {
    ...deps,
    ...options,
    session,
    stepDone: (task, { statement }) => {
      const before = open.slice(0, tasks.indexOf(task)).reduce((sum, count) => sum + count, 0)
      const { file, steps } = task.script
      const message = `${file}: statement ${statement.index} of ${steps.length}`
      options.progress(before + statement.index - task.done, total, message)
    },
  }
}

/** Applies files in order, each with the record of it; what is applied before a failure stays. */
export async function applyAll(
  start: RunStart,
  prepared: readonly PreparedUp[],
): Promise<MigrationResult[]> {
  const base = contextOf(
    start,
    prepared.map(({ task }) => task),
  )
  const results: MigrationResult[] = []
  for (const { migration, task, lint } of prepared) {
    try {
      const context = { ...base, marksSchemaChanges: await renewSession(start.session) }
      const outcome = await applyOne(context, migration, task)
      results.push({ ...resultOf(task, outcome, lint), status: 'applied', reason: null })
    } catch (error) {
      throw withStory(error, results)
    }
  }
  return results
}

async function applyOne(
  context: RunContext,
  migration: Migration,
  task: ScriptTask,
): Promise<ScriptOutcome> {
  const { script } = task
  const record = (durationMs: number) => recordUp(context, migration, { script, durationMs })
  if (script.isTransactional) return runAsTransaction(context, task, record)
  const { actor, appVersion, session } = context
  const begun = { statements: script.steps.length, by: actor.by, appVersion }
  await session.many(ledger.recordBegun(migration, begun))
  return runStepByStep(context, task, record)
}

/** What is reported of a script that ran. */
export const resultOf = (
  { version, name, script }: ScriptTask,
  { duration_ms, statement_ms, observed }: ScriptOutcome,
  lint: MigrationResult['lint'],
): Omit<MigrationResult, 'status' | 'reason'> => ({
  version,
  name,
  duration_ms,
  statements: script.steps.length,
  statement_ms,
  locks: observed?.locks ?? null,
  rewrites: observed?.rewrites ?? null,
  lint,
})

/** A failure after others have succeeded must say so: they stay. */
function withStory(error: unknown, before: readonly MigrationResult[]): unknown {
  if (before.length === 0 || !(error instanceof AppError)) return error
  const versions = before.map(({ version }) => version).join(', ')
  return new AppError(error.code, `${error.message} Applied before it: ${versions}.`, {
    ...(error.hint === null ? {} : { hint: error.hint }),
    retryable: error.retryable,
    cause: error,
  })
}
