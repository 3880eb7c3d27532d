import { AppError } from '../../errors.js'
import { sql } from '../../platform/postgres/sql.js'
import { clearLeftovers, isWhole, wasDone } from './leftovers.js'
import { digestOfFirst, type Step } from './script.js'
import {
  begin,
  commit,
  elapsedMs,
  execute,
  limitsOf,
  type RunContext,
  type ScriptOutcome,
  type ScriptTask,
  withRepeats,
} from './script-run.js'
import type { Blocker } from './session.sql.js'
import * as ledger from './sql.js'
import type { Standalone } from './standalone.js'

/**
 * Runs a script statement by statement, from where an earlier attempt stopped. What is done is in the
 * ledger right after it, so that a failure is a precise place and never a mystery.
 *
 * @param record writes, in a transaction, that the whole script was done
 */
export async function runStepByStep(
  context: RunContext,
  task: ScriptTask,
  record: (durationMs: number) => Promise<void>,
): Promise<ScriptOutcome> {
  const { session } = context
  const started = performance.now()
  const statement_ms: number[] = []
  for (const step of task.script.steps.slice(task.done)) {
    statement_ms.push(await runRecorded(context, task, step))
    context.stepDone(task, step)
  }
  const duration_ms = elapsedMs(started)
  await session.command('begin')
  await commit(context, () => record(duration_ms))
  return { duration_ms, statement_ms, observed: null }
}

async function runRecorded(context: RunContext, task: ScriptTask, step: Step): Promise<number> {
  const { session } = context
  // While there is doubt no error is recorded: the row would then say that it was not done.
  if (await isDoneAlready(context, task, step)) {
    await session.many(doneUpTo(task, step))
    return 0
  }
  try {
    const { standalone } = step
    // What it has committed by itself would be done again.
    if (standalone?.kind === 'unknowable') {
      return await runStandalone(context, task, { ...step, standalone, blockers: [] })
    }
    return await withRepeats(context, (blockers) =>
      standalone
        ? runStandalone(context, task, { ...step, standalone, blockers })
        : runWithRecord(context, task, { ...step, blockers }),
    )
  } catch (error) {
    // On a lost connection nothing can be written: the row then says that the end is not known.
    if (error instanceof AppError) {
      await session.many(ledger.recordFailure(task.version, error.message)).catch(() => {})
    }
    throw error
  }
}

interface Attempt extends Step {
  readonly blockers: readonly Blocker[]
}

/** The statement and the record of it are one transaction. */
async function runWithRecord(
  context: RunContext,
  task: ScriptTask,
  attempt: Attempt,
): Promise<number> {
  const { session } = context
  await begin(session, task.script, attempt)
  const ms = await execute(context, task, { ...attempt, kept: keptBefore(attempt) })
  await commit(context, async () => {
    await session.many(doneUpTo(task, attempt))
  })
  return ms
}

async function runStandalone(
  context: RunContext,
  task: ScriptTask,
  attempt: Attempt & { readonly standalone: Standalone },
): Promise<number> {
  const { session } = context
  const { statement, standalone } = attempt
  await session.many(ledger.recordStarted(task.version, statement.index))
  await clearLeftovers(session, standalone)
  const limits = limitsOf(task.script, attempt).map((limit) => `set ${limit}`)
  await session.many(sql.trusted(limits.join('; ')))
  const ms = await execute(context, task, { ...attempt, kept: keptBefore(attempt) })
  if (!(await isWhole(session, standalone))) throw notWhole(task, attempt)
  await session.many(doneUpTo(task, attempt))
  return ms
}

/** Only of the statement at which an earlier attempt was interrupted there is any doubt. */
async function isDoneAlready(
  { session }: RunContext,
  task: ScriptTask,
  { statement, standalone }: Step,
): Promise<boolean> {
  const isDoubtful = task.isInDoubt && statement.index === task.done + 1
  if (!isDoubtful || !standalone) return false
  const done = await wasDone(session, standalone)
  if (done === null) throw unknowable(task, statement.index)
  return done
}

const doneUpTo = ({ version, script }: ScriptTask, { statement }: Step) =>
  ledger.recordDone(version, statement.index, digestOfFirst(script, statement.index))

function keptBefore({ statement, standalone }: Step): string {
  const done =
    statement.index === 1
      ? 'No statement of the file is done.'
      : `Statements 1 to ${statement.index - 1} are done and recorded.`
  return standalone?.kind === 'create index'
    ? `${done} What PostgreSQL left of the index is dropped by the next run.`
    : done
}

const notWhole = ({ script, next }: ScriptTask, { statement }: Step): AppError =>
  new AppError(
    'precondition_failed',
    `${script.file}, statement ${statement.index}: PostgreSQL left the index invalid.`,
    { hint: `Run "${next.command}": it drops the index and builds it again.` },
  )

const unknowable = ({ script, next }: ScriptTask, index: number): AppError =>
  new AppError(
    'precondition_failed',
    `${script.file}, statement ${index} was running when its runner went away; whether it was done cannot be told.`,
    {
      hint: `Look whether it has done its work. If it has, take it out of the file. Then run "catalyst-db migrate repair" to say that this is settled, and "${next.command}".`,
    },
  )
