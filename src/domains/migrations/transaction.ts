import type { Endpoint } from '../../platform/postgres/connection.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { isConnectionLoss } from '../../platform/postgres/errors.js'
import { type Blocker, watchingLocks } from '../../platform/postgres/lock-watch.js'
import type { Filling } from '../../platform/postgres/measure/backfill.js'
import { Guard } from '../../platform/postgres/measure/guard.js'
import type { Loss } from '../../platform/postgres/measure/loss.js'
import { Observation } from '../../platform/postgres/measure/observation.js'
import { restoreSequences, sequencesOf } from '../../platform/postgres/measure/sequences.js'
import { repeatWhenLocked } from '../../platform/postgres/policies.js'
import { HandOver, withHandOver } from '../../platform/postgres/roles/hand-over.js'
import type { ScriptSession } from '../../platform/postgres/roles/script-login.js'
import { sql } from '../../platform/postgres/sql.js'
import { relationsOf } from '../../platform/sql-parser/lint/script-state.js'
import { changesSchema, replayOf } from '../../platform/sql-parser/schema-changes.js'
import { bodies, type ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { keyOf } from '../../platform/sql-parser/tree.js'
import { hasCommitted, inTransaction, type MigrationActor } from './ledger.js'
import * as ledger from './ledger.sql.js'
import type { Task } from './plan.js'
import { digestOfFirst, type Script, type Step } from './script.js'
import { scriptFailure } from './script-failure.js'

/** What a script is run with. */
export interface RunContext extends ScriptSession {
  readonly endpoint: Endpoint
  /** The runner's own: it holds the lock and writes the ledger. */
  readonly ledger: DirectSession
  /** The product's own scripts are trusted; all others are watched and measured. */
  readonly isMeasured: boolean
  /** What the file may lose: what was confirmed. */
  readonly confirmed: readonly Loss[]
  readonly actor: MigrationActor
  readonly appVersion: string
  readonly signal: AbortSignal
  /** Tells the marks of schema changes from what a script could write itself: the ledger keeps its SHA-256. */
  readonly proof: string
  /** In a dry run, the relations (by oid) that were there before its first file. */
  readonly existing?: ReadonlySet<string>
  /** Told after each statement. */
  stepDone(task: Task, step: Step): void
}

/** What a failure is told with. */
export interface Place {
  /** What became of the statements before it, as a sentence. */
  readonly kept: string
  readonly blockers: readonly Blocker[]
  /** Null where nothing is measured. */
  readonly guard: Guard | null
}

/** How some statements went. */
export interface Ran {
  readonly statement_ms: readonly number[]
  /** Null where each statement was for itself: its locks are gone with it. */
  readonly observed: Observation | null
  /** What they made and could not be handed over, as sentences. */
  readonly stays: readonly string[]
}

/** A queued ALTER blocks every later reader of its table. */
const LOCK_TIMEOUT_MS = 3_000
/** A statement keeps the locks of all before it, so a longer one is to be asked for. */
const STATEMENT_TIMEOUT_MS = 300_000

/** The limits of a script; what runs outside of transactions blocks nobody while it waits. */
export function limitsOf({ directives }: Script, isAlone: boolean): string[] {
  const lockMs = directives.lockTimeoutMs ?? (isAlone ? 0 : LOCK_TIMEOUT_MS)
  const statementMs = directives.statementTimeoutMs ?? (isAlone ? 0 : STATEMENT_TIMEOUT_MS)
  return [`lock_timeout = ${lockMs}`, `statement_timeout = ${statementMs}`]
}

/**
 * Runs statements of a script as one transaction, again while locks are not free.
 *
 * @param commit commits it, by its id where it was measured
 * @throws UnconfirmedLoss when they lose more than was confirmed; nothing of them was kept
 */
export const asTransaction = (
  context: RunContext,
  task: Task,
  { steps, kept }: { readonly steps: readonly Step[]; readonly kept: string },
  commit: (transactionId: string) => Promise<void>,
): Promise<Ran> =>
  withRepeats(context, async (blockers) => {
    const { session, heir, isMeasured, confirmed } = context
    const limits = limitsOf(task.script, false).map((limit) => `set local ${limit}`)
    await session.many(sql.trusted(['begin', ...limits].join('; ')))
    const handOver = await HandOver.begin(session, heir)
    const guard = isMeasured ? await Guard.begin(session, confirmed) : null
    const place = { kept, blockers, guard }
    const ran = await runSteps(context, task, steps, place)
    const transactionId = await atItsEnd(context, task, place, async () => guard?.confirm())
    const stays = (await handOver?.complete()) ?? []
    await commit(transactionId ?? '')
    return { ...ran, stays }
  })

/** Runs statements in the open transaction and sees what each takes. */
export async function runSteps(
  context: RunContext,
  task: Task,
  steps: readonly Step[],
  place: Place,
): Promise<{ statement_ms: number[]; observed: Observation }> {
  const observed = await Observation.begin(context.session, context.existing)
  const statement_ms: number[] = []
  for (const step of steps) {
    statement_ms.push(await execute(context, task, step, place))
    const { named } = relationsOf([step.statement])
    await observed.note(step.statement.index, new Set(named.map(keyOf)))
    context.stepDone(task, step)
  }
  return { statement_ms, observed }
}

/** Milliseconds since a reading of `performance.now()`, to the microsecond. */
export const elapsedMs = (started: number): number =>
  Math.round((performance.now() - started) * 1_000) / 1_000

/** Runs one statement and answers its milliseconds; its failure is told with its place. */
export async function execute(
  context: RunContext,
  task: Task,
  { statement }: Pick<Step, 'statement'>,
  place: Place,
): Promise<number> {
  const { session, signal, proof } = context
  const { version, script } = task
  const { index, kind, text } = statement
  const isMarked = context.marksSchemaChanges && changesSchema(statement)
  if (isMarked) {
    const replay = replayOf(statement)
    const mark = { version, file: script.file, statement: index, kind, sql: text, replay, proof }
    await session.many(markSchemaChange(JSON.stringify(mark)))
  }
  const started = performance.now()
  try {
    const run = async () => (await session.statement(text, signal)).rows
    const where = `${script.file}, statement ${index} (line ${statement.line})`
    await (place.guard ? place.guard.watch(where, fillingOf(statement), run) : run())
    const ms = elapsedMs(started)
    if (isMarked && context.publishesTables) await session.many(sql`select catalyst_log.publish()`)
    return ms
  } catch (error) {
    const told = await scriptFailure(error, { ...context, ...place, task, statement })
    throw await withHandOver(told, error, { ...context, text })
  }
}

/** Tells the log what is about to be run, with the settings that decide what it means. */
const markSchemaChange = (mark: string) => sql`
  select pg_logical_emit_message(true, 'cdb.ddl', (${mark}::jsonb || jsonb_build_object(
    'settings', (
      select jsonb_object_agg(name, current_setting(name))
      from unnest(array[
        'search_path', 'timezone', 'datestyle', 'intervalstyle', 'standard_conforming_strings',
        'check_function_bodies'
      ]) as name
    )
  ))::text)`

/** What an UPDATE sets. Of a temporary table of that name no rows are counted, so that nothing is excused. */
function fillingOf({ kind, node }: ScriptStatement): Filling | null {
  if (kind !== 'UpdateStmt') return null
  const { schemaname: schema = 'public', relname: table = '' } = node.relation ?? {}
  const columns = bodies(node.targetList, 'ResTarget').map(({ name }) => name ?? '')
  return { schema, table, columns }
}

/** What only comes out once all statements have run is told as the failure of the last one. */
export async function atItsEnd<T>(
  context: RunContext,
  task: Task,
  place: Place,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const last = task.script.steps.at(-1)?.statement
    if (!last) throw error
    // A position would be that of a statement of ours.
    const statement = { ...last, text: '' }
    throw await scriptFailure(error, { ...context, ...place, task, statement })
  }
}

/**
 * Commits the statements of a script up to one of them. The login of scripts has no rights on the ledger,
 * so the record is another transaction: the ledger names the transaction before it is committed, and
 * PostgreSQL knows what became of it, whoever dies in between.
 */
export async function commitUpTo(
  context: RunContext,
  task: Task,
  statement: number,
  transactionId: string,
): Promise<void> {
  const { version, script } = task
  const { ledger: own, actor, appVersion, proof } = context
  const digest = digestOfFirst(script, statement)
  await inTransaction(own, async () => {
    await own.many(task.begun({ by: actor.by, appVersion }))
    await own.many(ledger.recordCommitting(version, { statement, transactionId, digest }))
    await own.many(ledger.recordMarks(version, proof))
  })
  try {
    const tag = await context.session.command('commit')
    // https://www.postgresql.org/docs/current/sql-commit.html: a failed transaction answers ROLLBACK.
    if (tag !== 'COMMIT') throw new Error(`a transaction of a migration ended with ${tag}`)
  } catch (error) {
    if (isConnectionLoss(error) && (await hasCommitted(own, transactionId))) return
    await own.many(ledger.recordAborted(version))
    throw error
  }
}

/**
 * Runs `work` again, rolled back before, while its locks are not free; from the second time on it is
 * looked for whom it waits.
 */
export async function withRepeats<T>(
  context: RunContext,
  work: (blockers: readonly Blocker[]) => Promise<T>,
): Promise<T> {
  const { session, isMeasured } = context
  const sequences = isMeasured ? await sequencesOf(session) : []
  const blockers: Blocker[] = []
  const once = async (): Promise<T> => {
    try {
      return await work(blockers)
    } catch (error) {
      // On a lost connection PostgreSQL has done so already.
      await session.command('rollback').catch(() => {})
      if (isMeasured) await restoreSequences(session, sequences).catch(() => {})
      throw error
    }
  }
  return repeatWhenLocked(context.signal, (attempt) =>
    attempt === 0 ? once() : watchingLocks(context, blockers, once),
  )
}
