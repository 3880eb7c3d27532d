import type { DirectSession } from '../../platform/postgres/direct.js'
import { repeatWhenLocked } from '../../platform/postgres/policies.js'
import { HandOver, withHandOver } from '../../platform/postgres/roles/hand-over.js'
import { sql } from '../../platform/postgres/sql.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { commitUpTo, inTransaction } from './commit.js'
import { Guard } from './guard.js'
import { watchingLocks } from './lock-watch.js'
import { restoreSequences, sequencesOf } from './measure/sequences.js'
import { Observation } from './observation.js'
import type { RunContext, ScriptOutcome, ScriptTask } from './run-context.js'
import { changesSchema } from './schema-changes.js'
import type { Script, Step } from './script.js'
import { scriptFailure } from './script-failure.js'
import * as statements from './session.sql.js'
import { recordMarks } from './sql.js'

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
 * @param begun writes the row that the script is under way
 * @param record writes that it was done
 * @throws UnconfirmedLoss when it loses more than was confirmed; nothing of it was kept
 */
export async function runAsTransaction(
  context: RunContext,
  task: ScriptTask,
  { begun, record }: Recording,
): Promise<ScriptOutcome> {
  const { session, ledger } = context
  return withRepeats(context, async (blockers) => {
    const started = performance.now()
    await begin(session, task.script, null)
    const place = { kept: 'Nothing of the file was kept.', blockers }
    const handOver = await HandOver.begin(session, context.heir)
    const guard = await Guard.begin(context)
    const ran = await runStatements(context, task, { ...place, guard })
    const transactionId = await atItsEnd(context, task, place, () => guard.confirm(task))
    const kept = (await handOver?.complete()) ?? []
    const duration_ms = elapsedMs(started)
    // The product's own scripts run where the ledger is written: one transaction holds both.
    if (session === ledger) {
      await record(duration_ms)
      await ledger.many(recordMarks(task.version, context.proof))
      await session.command('commit')
      return { duration_ms, ...ran, kept }
    }
    const statement = task.script.steps.length
    await commitUpTo(context, task, { statement, transactionId }, begun)
    await inTransaction(ledger, () => record(duration_ms))
    return { duration_ms, ...ran, kept }
  })
}

/** How a script is written into the ledger. */
export interface Recording {
  /** That it is under way, where no row says so yet. */
  begun(): Promise<void>
  record(durationMs: number): Promise<void>
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

/** A step with what a failure of it is told with. */
export interface PlacedStep extends Step {
  readonly kept: string
  readonly blockers: readonly statements.Blocker[]
  /** Null outside of transactions. */
  readonly guard: Guard | null
}

/** Runs one statement and answers its milliseconds; its failure is told with its place. */
export async function execute(
  context: RunContext,
  task: ScriptTask,
  { statement, kept, blockers, guard }: PlacedStep,
): Promise<number> {
  const { session, signal } = context
  const { script, next } = task
  if (context.marksSchemaChanges && changesSchema(statement)) {
    await session.many(statements.emitSchemaChange(markOf(context, task, statement)))
  }
  const started = performance.now()
  try {
    const run = async () => (await session.statement(statement.text, signal)).rows
    await (guard ? guard.watch(task.script.file, statement, run) : run())
    return elapsedMs(started)
  } catch (error) {
    const place = { file: script.file, statement, total: script.steps.length }
    const about = { ...place, kept, next, blockers, signal, ledger: context.ledger }
    const told = await scriptFailure(error, about)
    throw await withHandOver(told, error, { ...context, text: statement.text })
  }
}

/** What only comes out once all statements have run is told as the failure of the last one. */
export async function atItsEnd<T>(
  { ledger, signal }: RunContext,
  { script, next }: ScriptTask,
  place: Pick<PlacedStep, 'kept' | 'blockers'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const { steps, file } = script
    const last = steps.at(-1)?.statement
    if (!last) throw error
    // A position would be that of a statement of ours.
    const statement = { ...last, text: '' }
    const { kept, blockers } = place
    const about = { file, statement, total: steps.length, kept, next, blockers, signal, ledger }
    throw await scriptFailure(error, about)
  }
}

function markOf(
  { proof }: RunContext,
  { version, script }: ScriptTask,
  { index, kind, text }: ScriptStatement,
): string {
  return JSON.stringify({ version, file: script.file, statement: index, kind, sql: text, proof })
}

/**
 * Runs `work` again, rolled back before, while its locks are not free; from the second time on it is
 * looked for whom it waits.
 */
export async function withRepeats<T>(
  context: RunContext,
  work: (blockers: readonly statements.Blocker[]) => Promise<T>,
): Promise<T> {
  const sequences = context.isMeasured ? await sequencesOf(context.session) : []
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
      if (context.isMeasured) await restoreSequences(context.session, sequences).catch(() => {})
      throw error
    }
  }
  return repeatWhenLocked(context.signal, (attempt) =>
    attempt === 0 ? once() : watchingLocks(context, saw, once),
  )
}
