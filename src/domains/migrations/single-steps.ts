import { AppError } from '../../errors.js'
import { HandOver } from '../../platform/postgres/roles/hand-over.js'
import { sql } from '../../platform/postgres/sql.js'
import { commitUpTo, inTransaction } from './commit.js'
import { Guard } from './guard.js'
import { clearLeftovers, isWhole, wasDone } from './leftovers.js'
import type { RunContext, ScriptOutcome, ScriptTask } from './run-context.js'
import { digestOfFirst, type Step } from './script.js'
import { atItsEnd, begin, elapsedMs, execute, limitsOf, withRepeats } from './script-run.js'
import type { Blocker } from './session.sql.js'
import * as ledger from './sql.js'
import type { Standalone } from './standalone.js'
import { refuseCode } from './standalone-code.js'

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
  const { ledger: own } = context
  const started = performance.now()
  const statement_ms: number[] = []
  const kept: string[] = []
  for (const step of task.script.steps.slice(task.done)) {
    statement_ms.push(await runRecorded(context, task, step, kept))
    context.stepDone(task, step)
  }
  const duration_ms = elapsedMs(started)
  await inTransaction(own, () => record(duration_ms))
  return { duration_ms, statement_ms, observed: null, kept }
}

async function runRecorded(
  context: RunContext,
  task: ScriptTask,
  step: Step,
  stays: string[],
): Promise<number> {
  const { ledger: own } = context
  // While there is doubt no error is recorded: the row would then say that it was not done.
  if (await isDoneAlready(context, task, step)) {
    await own.many(doneUpTo(task, step))
    return 0
  }
  try {
    const { standalone } = step
    return await withRepeats(context, (blockers) =>
      standalone
        ? runStandalone(context, task, { ...step, standalone, blockers })
        : runWithRecord(context, task, { ...step, blockers, stays }),
    )
  } catch (error) {
    // Of a statement whose connection was lost nobody knows the end, and the row then says so.
    if (error instanceof AppError && error.code !== 'unavailable') {
      await own.many(ledger.recordFailure(task.version, error.message)).catch(() => {})
    }
    throw error
  }
}

interface Attempt extends Step {
  readonly blockers: readonly Blocker[]
}

/** Watched and measured like a file. */
async function runWithRecord(
  context: RunContext,
  task: ScriptTask,
  attempt: Attempt & { readonly stays: string[] },
): Promise<number> {
  const { session, ledger: own } = context
  await begin(session, task.script, attempt)
  const handOver = await HandOver.begin(session, context.heir)
  const guard = await Guard.begin(context)
  const place = { ...attempt, kept: keptBefore(attempt) }
  const ms = await execute(context, task, { ...place, guard })
  const transactionId = await atItsEnd(context, task, place, () => guard.confirm(task))
  attempt.stays.push(...((await handOver?.complete()) ?? []))
  const statement = attempt.statement.index
  await commitUpTo(context, task, { statement, transactionId }, async () => {})
  await own.many(doneUpTo(task, attempt))
  return ms
}

async function runStandalone(
  context: RunContext,
  task: ScriptTask,
  attempt: Attempt & { readonly standalone: Standalone },
): Promise<number> {
  const { session, ledger: own } = context
  const { statement, standalone } = attempt
  await refuseCode(session, statement, standalone)
  await own.many(ledger.recordStarted(task.version, statement.index))
  await own.many(ledger.recordMarks(task.version, context.proof))
  await clearLeftovers(session, standalone)
  const limits = limitsOf(task.script, attempt).map((limit) => `set ${limit}`)
  await session.many(sql.trusted(limits.join('; ')))
  const ms = await execute(context, task, { ...attempt, kept: keptBefore(attempt), guard: null })
  if (!(await isWhole(session, standalone))) throw notWhole(task, attempt)
  await own.many(doneUpTo(task, attempt))
  return ms
}

/** Only of the statement at which an earlier attempt was interrupted there is any doubt. */
async function isDoneAlready(
  { session }: RunContext,
  task: ScriptTask,
  { statement, standalone }: Step,
): Promise<boolean> {
  const isDoubtful = task.isInDoubt && statement.index === task.done + 1
  return isDoubtful && standalone !== null && (await wasDone(session, standalone))
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
