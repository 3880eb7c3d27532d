import { randomUUID } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import type { ScriptLogin, ScriptSession } from '../../platform/postgres/roles/script-login.js'
import { isBuiltIn } from './comparison.js'
import type { Migration } from './files.js'
import { UnconfirmedLoss } from './guard.js'
import type { FileLosses } from './measure/loss.js'
import type { PreparedUp } from './planning.js'
import { recordUp } from './recording.js'
import type { MigrationResult, RunOptions } from './report.js'
import type { RunContext, ScriptOutcome, ScriptTask } from './run-context.js'
import { asOwnScript, asScript } from './runner-session.js'
import { runAsTransaction } from './script-run.js'
import { runStepByStep } from './single-steps.js'
import * as ledger from './sql.js'

/** What a run is started with. */
export interface RunStart {
  readonly deps: Pick<RunContext, 'endpoint' | 'appVersion'>
  /** The runner's own session. */
  readonly session: DirectSession
  readonly scripts: ScriptLogin
  readonly options: Pick<RunOptions, 'actor' | 'signal' | 'progress'>
}

/** Makes the context of a run, which counts the statements of all its scripts for the progress. */
export function contextOf(
  { deps, session, options }: RunStart,
  tasks: readonly ScriptTask[],
): Omit<RunContext, keyof ScriptSession | 'isMeasured' | 'confirmed'> {
  const open = tasks.map(({ script, done }) => script.steps.length - done)
  const total = open.reduce((sum, count) => sum + count, 0)
  return {
    ...deps,
    ...options,
    ledger: session,
    proof: randomUUID(),
    stepDone: (task, { statement }) => {
      const before = open.slice(0, tasks.indexOf(task)).reduce((sum, count) => sum + count, 0)
      const { file, steps } = task.script
      const message = `${file}: statement ${statement.index} of ${steps.length}`
      options.progress(before + statement.index - task.done, total, message)
    },
  }
}

/**
 * Applies files in order, each with the record of it; what is applied before a failure stays.
 *
 * @throws UnconfirmedLoss when one loses what was not confirmed
 */
export async function applyAll(
  start: RunStart,
  prepared: readonly PreparedUp[],
  confirmed: readonly FileLosses[],
): Promise<MigrationResult[]> {
  const base = contextOf(
    start,
    prepared.map(({ task }) => task),
  )
  const results: MigrationResult[] = []
  for (const { migration, task, lint } of prepared) {
    try {
      const losses = confirmed.filter(({ version }) => version === task.version)
      const about = {
        isMeasured: !isBuiltIn(migration),
        confirmed: losses.flatMap((one) => one.losses),
      }
      const run = (script: ScriptSession) =>
        applyOne({ ...base, ...about, ...script }, migration, task)
      const outcome = isBuiltIn(migration)
        ? await asOwnScript(start.session, run)
        : await asScript(start.scripts, start.session, run)
      results.push({
        ...resultOf(task, outcome, lint),
        status: 'applied',
        reason: outcome.kept.join(' ') || null,
      })
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
  const { actor, appVersion, ledger: session } = context
  const record = (durationMs: number) =>
    recordUp({ session, actor, appVersion }, migration, { script, durationMs })
  const begun = async () => {
    const about = { statements: script.steps.length, by: actor.by, appVersion }
    await session.many(ledger.recordBegun(migration, about))
  }
  if (script.isTransactional) return runAsTransaction(context, task, { begun, record })
  await begun()
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
  losses: null,
  lint,
})

/** A failure after others have succeeded must say so: they stay. */
function withStory(error: unknown, before: readonly MigrationResult[]): unknown {
  if (error instanceof UnconfirmedLoss) return error.after(before.map(({ version }) => version))
  if (before.length === 0 || !(error instanceof AppError)) return error
  const versions = before.map(({ version }) => version).join(', ')
  return new AppError(error.code, `${error.message} Applied before it: ${versions}.`, {
    ...(error.hint === null ? {} : { hint: error.hint }),
    retryable: error.retryable,
    cause: error,
  })
}
