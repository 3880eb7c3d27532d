import { sql } from '../../platform/postgres/sql.js'
import { contextOf, type RunStart, resultOf } from './apply.js'
import { watchingLocks } from './lock-watch.js'
import type { PreparedUp } from './planning.js'
import type { MigrationResult } from './report.js'
import { hasCurrentLedger, renewSession } from './runner-session.js'
import {
  elapsedMs,
  execute,
  limitsOf,
  type PlacedStep,
  type RunContext,
  runStatements,
  type ScriptTask,
} from './script-run.js'
import { type Blocker, listRelations } from './session.sql.js'
import { createLedger } from './sql.js'

/** What a dry run cannot take back, for its reader. */
export const DRY_RUN_NOTE =
  'The statements ran in a transaction that was rolled back: their locks were real while it took, and sequences may have moved.'

/** It is only a question, so nobody is kept waiting for it. */
const LOCK_TIMEOUT_MS = 1_000

/**
 * Executes files in one transaction, so that later ones find what earlier ones make, up to the first
 * that cannot be part of one, and rolls it back.
 */
export async function dryRunAll(
  start: RunStart,
  prepared: readonly PreparedUp[],
): Promise<MigrationResult[]> {
  const firstAlone = prepared.findIndex(({ task }) => !task.script.isTransactional)
  const count = firstAlone < 0 ? prepared.length : firstAlone
  const executed = prepared.slice(0, count)
  await renewSession(start.session)
  const tasks = executed.map(({ task }) => task)
  const relations = await start.session.many(listRelations())
  const existing = new Set(relations.map(({ oid }) => oid))
  const context = { ...contextOf(start, tasks), marksSchemaChanges: false, existing }
  const results = await executeAll(context, executed)
  const rest = prepared
    .slice(count)
    .map((one, at) => notExecuted(one, at === 0 ? null : prepared[count]))
  return [...results, ...rest]
}

async function executeAll(
  context: RunContext,
  prepared: readonly PreparedUp[],
): Promise<MigrationResult[]> {
  const { session } = context
  const place = { kept: 'Nothing was kept: it was a dry run.', blockers: [] as Blocker[] }
  const saw = (found: readonly Blocker[]): void => {
    place.blockers.splice(0, place.blockers.length, ...found)
  }
  try {
    return await watchingLocks(context, saw, async () => {
      const hasLedger = await hasCurrentLedger(session)
      await session.command('begin')
      // The first migrations refer to the schema that the ledger's making brings along.
      if (!hasLedger) await session.many(createLedger())
      const results: MigrationResult[] = []
      for (const one of prepared) results.push(await executeOne(context, one, place))
      const last = prepared.at(-1)
      if (last) await checkDeferred(context, last.task, place)
      return results
    })
  } finally {
    // On a lost connection PostgreSQL has done so already.
    await session.command('rollback').catch(() => {})
  }
}

async function executeOne(
  context: RunContext,
  { task, lint }: PreparedUp,
  place: Pick<PlacedStep, 'kept' | 'blockers'>,
): Promise<MigrationResult> {
  const limits = [...limitsOf(task.script, null), `lock_timeout = ${LOCK_TIMEOUT_MS}`]
  await context.session.many(sql.trusted(limits.map((limit) => `set local ${limit}`).join('; ')))
  const started = performance.now()
  const ran = await runStatements(context, task, place)
  const outcome = { duration_ms: elapsedMs(started), ...ran }
  return { ...resultOf(task, outcome, lint), status: 'dry_run', reason: null }
}

/** What a commit would check is checked as part of the last statement. */
async function checkDeferred(
  context: RunContext,
  task: ScriptTask,
  place: Pick<PlacedStep, 'kept' | 'blockers'>,
): Promise<void> {
  const last = task.script.steps.at(-1)
  if (!last) return
  const statement = { ...last.statement, text: 'set constraints all immediate' }
  await execute(context, task, { ...place, ...last, statement })
}

function notExecuted(
  { task, lint }: PreparedUp,
  behind: PreparedUp | null | undefined,
): MigrationResult {
  const { version, name, script } = task
  return {
    version,
    name,
    status: 'planned',
    reason: behind
      ? `It comes after ${behind.task.script.file}, which cannot be undone.`
      : 'It does not run inside a transaction, so it cannot be undone.',
    duration_ms: null,
    statements: script.steps.length,
    statement_ms: [],
    locks: null,
    rewrites: null,
    lint,
  }
}
