import { randomUUID } from 'node:crypto'
import { AppError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { UnconfirmedLoss } from '../../platform/postgres/measure/guard.js'
import type { ScriptLogin, ScriptSession } from '../../platform/postgres/roles/script-login.js'
import { isDoneAlready, runAlone } from './alone.js'
import { isBuiltIn } from './files.js'
import { inTransaction, type MigrationActor, recordFact } from './ledger.js'
import * as ledger from './ledger.sql.js'
import type { FileLosses } from './losses.js'
import type { Task } from './plan.js'
import { asOwnScript, asScript } from './runner.js'
import type { Result } from './schemas.js'
import { digestOfFirst, type Step } from './script.js'
import { asTransaction, commitUpTo, elapsedMs, type Ran, type RunContext } from './transaction.js'

/** What scripts are run with. */
export interface Run extends Pick<RunContext, 'endpoint' | 'appVersion' | 'signal'> {
  /** The runner's own session. */
  readonly session: DirectSession
  readonly scripts: ScriptLogin
  readonly actor: MigrationActor
  /** Called after each statement; the total is that of all scripts. */
  progress(done: number, total: number, message: string): void
}

/** The context of a run, which counts the statements of all its scripts for the progress. */
export function contextOf(
  { session, scripts: _, progress, ...run }: Run,
  tasks: readonly Task[],
): Omit<RunContext, keyof ScriptSession | 'isMeasured' | 'confirmed'> {
  const open = tasks.map(({ script, done }) => script.steps.length - done)
  const sum = (counts: readonly number[]): number => counts.reduce((all, one) => all + one, 0)
  return {
    ...run,
    ledger: session,
    proof: randomUUID(),
    stepDone: (task, { statement }) => {
      const before = sum(open.slice(0, tasks.indexOf(task)))
      const { file, steps } = task.script
      const message = `${file}: statement ${statement.index} of ${steps.length}`
      progress(before + statement.index - task.done, sum(open), message)
    },
  }
}

/**
 * Runs scripts in order, each with the record of it; what is done before a failure stays.
 *
 * @throws UnconfirmedLoss when one loses what was not confirmed
 */
export async function runAll(
  run: Run,
  tasks: readonly Task[],
  confirmed: readonly FileLosses[],
): Promise<Result[]> {
  const base = contextOf(run, tasks)
  const results: Result[] = []
  for (const task of tasks) {
    const isOurs = isBuiltIn(task)
    const losses = confirmed.filter(({ version }) => version === task.version)
    const about = { isMeasured: !isOurs, confirmed: losses.flatMap((one) => one.losses) }
    const work = (script: ScriptSession) => runScript({ ...base, ...about, ...script }, task)
    try {
      const result = isOurs
        ? await asOwnScript(run.session, work)
        : await asScript(run.scripts, run.session, work)
      results.push(result)
    } catch (error) {
      const before = results.map(({ version }) => version)
      throw withStory(error, task, before)
    }
  }
  return results
}

/** A failure after others have succeeded must say so: they stay. */
function withStory(error: unknown, { direction }: Task, before: readonly number[]): unknown {
  if (error instanceof UnconfirmedLoss) return new UnconfirmedLoss(before)
  if (before.length === 0 || !(error instanceof AppError)) return error
  const done = `${direction === 'up' ? 'Applied' : 'Undone'} before it: ${before.join(', ')}.`
  return new AppError(error.code, `${error.message} ${done}`, {
    ...(error.hint === null ? {} : { hint: error.hint }),
    retryable: error.retryable,
    cause: error,
  })
}

async function runScript(context: RunContext, task: Task): Promise<Result> {
  const { session, ledger: own, actor, appVersion } = context
  const { script } = task
  const started = performance.now()
  let duration_ms = 0
  const begun = () => own.many(task.begun({ by: actor.by, appVersion }))
  const record = async (): Promise<void> => {
    duration_ms = elapsedMs(started)
    await own.many(task.ended(duration_ms))
    const fact = { ...task, durationMs: duration_ms, note: null }
    await recordFact({ session: own, actor, appVersion }, fact)
  }
  const asOne = { steps: script.steps, kept: 'Nothing of the file was kept.' }
  let ran: Ran
  if (session === own) {
    // The product's own scripts run where the ledger is written: one transaction holds both.
    ran = await asTransaction(context, task, asOne, async () => {
      await begun()
      await record()
      await own.many(ledger.recordMarks(task.version, context.proof))
      await session.command('commit')
    })
  } else if (script.isTransactional) {
    ran = await asTransaction(context, task, asOne, (transactionId) =>
      commitUpTo(context, task, script.steps.length, transactionId),
    )
    await inTransaction(own, record)
  } else {
    await begun()
    ran = await stepByStep(context, task)
    await inTransaction(own, record)
  }
  return {
    ...resultOf(task, ran),
    status: 'applied',
    duration_ms,
    reason: ran.stays.join(' ') || null,
  }
}

/** What is reported of a script that ran. */
export const resultOf = (
  { version, name, script, lint }: Task,
  { statement_ms, observed }: Ran,
): Omit<Result, 'status' | 'reason' | 'duration_ms'> => ({
  version,
  name,
  statements: script.steps.length,
  statement_ms,
  locks: observed?.locks ?? null,
  rewrites: observed?.rewrites ?? null,
  losses: null,
  lint,
})

/**
 * Runs a script statement by statement, from where an earlier attempt stopped. What is done is in the
 * ledger right after it, so that a failure is a precise place and never a mystery.
 */
async function stepByStep(context: RunContext, task: Task): Promise<Ran> {
  const statement_ms: number[] = []
  const stays: string[] = []
  for (const step of task.script.steps.slice(task.done)) {
    const ran = await runStep(context, task, step)
    statement_ms.push(...ran.statement_ms)
    stays.push(...ran.stays)
  }
  return { statement_ms, observed: null, stays }
}

async function runStep(context: RunContext, task: Task, step: Step): Promise<Ran> {
  const { version, script } = task
  const { ledger: own } = context
  const { index } = step.statement
  const done = () => own.many(ledger.recordDone(version, index, digestOfFirst(script, index)))
  // While there is doubt no error is recorded: the row would then say that it was not done.
  if (await isDoneAlready(context, task, step)) {
    await done()
    context.stepDone(task, step)
    return { statement_ms: [0], observed: null, stays: [] }
  }
  const kept =
    index === 1
      ? 'No statement of the file is done.'
      : `Statements 1 to ${index - 1} are done and recorded.`
  try {
    const { standalone } = step
    const ran = standalone
      ? await runAlone(context, task, { ...step, standalone }, kept)
      : await asTransaction(context, task, { steps: [step], kept }, (transactionId) =>
          commitUpTo(context, task, index, transactionId),
        )
    await done()
    return ran
  } catch (error) {
    // Of a statement whose connection was lost nobody knows the end, and the row then says so.
    if (error instanceof AppError && error.code !== 'unavailable') {
      await own.many(ledger.recordFailure(version, error.message)).catch(() => {})
    }
    throw error
  }
}
