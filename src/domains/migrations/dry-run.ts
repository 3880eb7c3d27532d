import type { DirectSession } from '../../platform/postgres/direct.js'
import { sql } from '../../platform/postgres/sql.js'
import { contextOf, type RunStart, resultOf } from './apply.js'
import { isBuiltIn } from './comparison.js'
import { Guard } from './guard.js'
import { watchingLocks } from './lock-watch.js'
import { type FileLosses, type Loss, sentenceOf } from './measure/loss.js'
import { counted } from './measure/measure.js'
import { restoreSequences, sequencesOf } from './measure/sequences.js'
import type { MigrationResult } from './report.js'
import type { RunContext, ScriptTask } from './run-context.js'
import { asScript, hasCurrentLedger } from './runner-session.js'
import {
  atItsEnd,
  elapsedMs,
  execute,
  limitsOf,
  type PlacedStep,
  runStatements,
} from './script-run.js'
import { type Blocker, listRelations } from './session.sql.js'
import { createLedger } from './sql.js'

/** What a dry run cannot take back, for its reader. */
export const DRY_RUN_NOTE =
  'The statements ran in a transaction that was rolled back: their locks were real while it took, and sequences may have moved ahead.'

/** Rows are counted for the sake of the question, which must not take longer than this. */
const COUNT_TIMEOUT_MS = 10_000
/** It is only a question, so nobody is kept waiting for it. */
const LOCK_TIMEOUT_MS = 1_000

/** What a dry run saw. */
export interface DryRun {
  readonly results: readonly MigrationResult[]
  /** Of the files that were executed. */
  readonly losses: readonly FileLosses[]
}

/** A script that is to be tried. */
export interface Tried {
  readonly task: ScriptTask
  readonly lint: MigrationResult['lint']
}

/**
 * Executes scripts in one transaction, so that later ones find what earlier ones make, up to the first
 * that cannot be part of one, and rolls it back. The connection is then closed: nothing that a script
 * left in it can be committed by anybody.
 */
export async function dryRunAll(start: RunStart, prepared: readonly Tried[]): Promise<DryRun> {
  const firstAlone = prepared.findIndex(({ task }) => !task.script.isTransactional)
  const count = firstAlone < 0 ? prepared.length : firstAlone
  const rest = prepared
    .slice(count)
    .map((one, at) => notExecuted(one, at === 0 ? null : prepared[count]))
  const { results, losses } = await tryOut(start, prepared.slice(0, count), 'to the end')
  return { results: [...results, ...rest], losses }
}

/**
 * The same for what has to be confirmed: what cannot be part of a transaction is left out, and where
 * something after it cannot do without it, what it loses is asked when its turn comes.
 */
export async function measureAll(
  start: RunStart,
  prepared: readonly Tried[],
): Promise<readonly FileLosses[]> {
  const tried = prepared.filter(({ task }) => task.script.isTransactional)
  const isWhole = tried.length === prepared.length
  return (await tryOut(start, tried, isWhole ? 'to the end' : 'as far as it goes')).losses
}

type HowFar = 'to the end' | 'as far as it goes'

async function tryOut(start: RunStart, tried: readonly Tried[], howFar: HowFar): Promise<DryRun> {
  if (tried.length === 0) return { results: [], losses: [] }
  const base = contextOf(
    start,
    tried.map(({ task }) => task),
  )
  return asScript(start.scripts, start.session, async (script) => {
    const { session } = script
    const about = { ...script, isMeasured: true, confirmed: [], marksSchemaChanges: false }
    const relations = await session.many(listRelations())
    const existing = new Set(relations.map(({ oid }) => oid))
    const ran = await executeAll({ ...base, ...about, existing }, tried, howFar)
    const losses: FileLosses[] = []
    for (const { version, losses: found } of ran.losses) {
      losses.push({ version, losses: await countedAfter(session, found) })
    }
    return { results: withLosses(ran.results, losses), losses }
  })
}

const withLosses = (
  results: readonly MigrationResult[],
  losses: readonly FileLosses[],
): MigrationResult[] =>
  results.map((result) => ({
    ...result,
    losses: losses
      .flatMap(({ version, losses: found }) => (version === result.version ? found : []))
      .map(sentenceOf),
  }))

/** The rows are there again once all is rolled back. */
async function countedAfter(session: DirectSession, found: readonly Loss[]): Promise<Loss[]> {
  if (!found.some(({ of }) => of)) return [...found]
  await session.command('begin')
  try {
    await session.many(sql.trusted(`set local statement_timeout = ${COUNT_TIMEOUT_MS}`))
    return await counted(session, found)
  } finally {
    await session.command('rollback').catch(() => {})
  }
}

async function executeAll(
  context: RunContext,
  prepared: readonly Tried[],
  howFar: HowFar,
): Promise<DryRun> {
  const { session } = context
  const blockers: Blocker[] = []
  const saw = (found: readonly Blocker[]): void => {
    blockers.splice(0, blockers.length, ...found)
  }
  const sequences = await sequencesOf(session)
  const hasLedger = await hasCurrentLedger(context.ledger)
  try {
    return await watchingLocks(context, saw, async () => {
      await session.command('begin')
      // The first migrations refer to the schema that the ledger's making brings along.
      if (!hasLedger) await session.many(createLedger())
      const results: MigrationResult[] = []
      const losses: FileLosses[] = []
      for (const one of prepared) {
        const { result, found } = await executeOne(context, one, { kept: KEPT, blockers }).catch(
          (error: unknown) => {
            if (howFar === 'to the end') throw error
            return { result: null, found: [] }
          },
        )
        if (!result) break
        results.push(result)
        losses.push({ version: result.version, losses: found })
      }
      return { results, losses }
    })
  } finally {
    // On a lost connection PostgreSQL has done so already.
    await session.command('rollback').catch(() => {})
    await restoreSequences(session, sequences)
  }
}

const KEPT = 'Nothing was kept: it was a dry run.'

async function executeOne(
  context: RunContext,
  { task, lint }: Tried,
  place: Pick<PlacedStep, 'kept' | 'blockers'>,
): Promise<{ result: MigrationResult; found: readonly Loss[] }> {
  const limits = [...limitsOf(task.script, null), `lock_timeout = ${LOCK_TIMEOUT_MS}`]
  await context.session.many(sql.trusted(limits.map((limit) => `set local ${limit}`).join('; ')))
  const started = performance.now()
  const guard = await Guard.begin({ ...context, isMeasured: !isBuiltIn(task) })
  const ran = await runStatements(context, task, { ...place, guard })
  await checkDeferred(context, task, { ...place, guard })
  const found = await atItsEnd(context, task, place, () => guard.losses())
  const outcome = { duration_ms: elapsedMs(started), ...ran, kept: [] }
  return { result: { ...resultOf(task, outcome, lint), status: 'dry_run', reason: null }, found }
}

/** What a commit would check is checked as part of the last statement. */
async function checkDeferred(
  context: RunContext,
  task: ScriptTask,
  place: Pick<PlacedStep, 'kept' | 'blockers' | 'guard'>,
): Promise<void> {
  const last = task.script.steps.at(-1)
  if (!last) return
  const statement = { ...last.statement, text: 'set constraints all immediate' }
  await execute(context, task, { ...place, ...last, statement })
}

function notExecuted({ task, lint }: Tried, behind: Tried | null | undefined): MigrationResult {
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
    losses: null,
    lint,
  }
}
