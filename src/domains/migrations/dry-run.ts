import { aside } from '../../platform/postgres/catalog-only.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { type Blocker, watchingLocks } from '../../platform/postgres/lock-watch.js'
import { Guard } from '../../platform/postgres/measure/guard.js'
import { type Loss, sentenceOf } from '../../platform/postgres/measure/loss.js'
import { counted } from '../../platform/postgres/measure/measure.js'
import { listRelations } from '../../platform/postgres/measure/observation.js'
import { restoreSequences, sequencesOf } from '../../platform/postgres/measure/sequences.js'
import { sql } from '../../platform/postgres/sql.js'
import { isBuiltIn } from './files.js'
import { hasLedger } from './ledger.js'
import { createLedger } from './ledger.sql.js'
import type { FileLosses } from './losses.js'
import type { Task } from './plan.js'
import { contextOf, type Run, resultOf } from './run.js'
import { asScript } from './runner.js'
import type { Result } from './schemas.js'
import { atItsEnd, elapsedMs, execute, limitsOf, type RunContext, runSteps } from './transaction.js'

/** What a dry run cannot take back, for its reader. */
export const DRY_RUN_NOTE =
  'The statements ran in a transaction that was rolled back: their locks were real while it took, and sequences may have moved ahead.'

const KEPT = 'Nothing was kept: it was a dry run.'
/** Rows are counted for the sake of the question, which must not take longer than this. */
const COUNT_TIMEOUT_MS = 10_000
/** It is only a question, so nobody is kept waiting for it. */
const LOCK_TIMEOUT_MS = 1_000

interface Tried {
  readonly result: Result
  readonly losses: readonly Loss[]
}

/** Tries scripts up to the first that cannot be part of a transaction; says what a run would do and lose. */
export async function dryRun(run: Run, tasks: readonly Task[]): Promise<Result[]> {
  const firstAlone = tasks.findIndex(({ script }) => !script.isTransactional)
  const count = firstAlone < 0 ? tasks.length : firstAlone
  const tried = await tryOut(run, tasks.slice(0, count), 'to the end')
  return [
    ...tried.map(({ result, losses }) => ({ ...result, losses: losses.map(sentenceOf) })),
    ...tasks.slice(count).map((task, at) => notExecuted(task, at === 0 ? null : tasks[count])),
  ]
}

/**
 * The same for what has to be confirmed: what cannot be part of a transaction is left out, and where
 * something after it cannot do without it, what it loses is asked when its turn comes.
 */
export async function measureAll(run: Run, tasks: readonly Task[]): Promise<FileLosses[]> {
  const some = tasks.filter(({ script }) => script.isTransactional)
  const howFar = some.length === tasks.length ? 'to the end' : 'as far as it goes'
  const tried = await tryOut(run, some, howFar)
  return tried.map(({ result, losses }) => ({ version: result.version, losses }))
}

/**
 * Executes scripts in one transaction, so that later ones find what earlier ones make, and rolls it back.
 * The connection is then closed: nothing that a script left in it can be committed by anybody.
 */
async function tryOut(
  run: Run,
  tasks: readonly Task[],
  howFar: 'to the end' | 'as far as it goes',
): Promise<Tried[]> {
  if (tasks.length === 0) return []
  return asScript(run.scripts, run.session, async (script) => {
    const { session } = script
    const existing = new Set((await session.many(listRelations())).map(({ oid }) => oid))
    const about = {
      isMeasured: true,
      confirmed: [],
      marksSchemaChanges: false,
      publishesTables: false,
      existing,
    }
    const context = { ...contextOf(run, tasks), ...script, ...about }
    const tried: Tried[] = []
    await rolledBack(context, async (blockers) => {
      for (const task of tasks) {
        const one = await tryOne(context, task, blockers).catch((error: unknown) => {
          if (howFar === 'to the end') throw error
        })
        if (!one) return
        tried.push(one)
      }
    })
    // The rows are there again once all is rolled back.
    for (const [at, one] of tried.entries()) {
      tried[at] = { ...one, losses: await withCounts(session, one.losses) }
    }
    return tried
  })
}

async function withCounts(session: DirectSession, losses: readonly Loss[]) {
  if (!losses.some(({ of }) => of)) return losses
  return aside(session, async () => {
    await session.many(sql.trusted(`set local statement_timeout = ${COUNT_TIMEOUT_MS}`))
    return counted(session, losses)
  })
}

async function rolledBack(
  context: RunContext,
  work: (blockers: readonly Blocker[]) => Promise<void>,
): Promise<void> {
  const { session } = context
  const blockers: Blocker[] = []
  const sequences = await sequencesOf(session)
  const isNew = !(await hasLedger(context.ledger))
  try {
    await watchingLocks(context, blockers, async () => {
      await session.command('begin')
      // The first migrations refer to the schema that the ledger's making brings along.
      if (isNew) await session.many(createLedger())
      await work(blockers)
    })
  } finally {
    // On a lost connection PostgreSQL has done so already.
    await session.command('rollback').catch(() => {})
    await restoreSequences(session, sequences)
  }
}

async function tryOne(
  context: RunContext,
  task: Task,
  blockers: readonly Blocker[],
): Promise<Tried> {
  const { session } = context
  const limits = [...limitsOf(task.script, false), `lock_timeout = ${LOCK_TIMEOUT_MS}`]
  await session.many(sql.trusted(limits.map((limit) => `set local ${limit}`).join('; ')))
  const started = performance.now()
  const guard = isBuiltIn(task) ? null : await Guard.begin(session, [])
  const place = { kept: KEPT, blockers, guard }
  const { steps } = task.script
  const ran = await runSteps(context, task, steps, place)
  const last = steps.at(-1)?.statement
  if (last) {
    // What a commit would check is checked as part of the last statement.
    const statement = { ...last, text: 'set constraints all immediate' }
    await execute(context, task, { statement }, place)
  }
  const losses = await atItsEnd(context, task, place, async () => (await guard?.losses()) ?? [])
  const result = {
    ...resultOf(task, { ...ran, stays: [] }),
    status: 'dry_run' as const,
    reason: null,
    duration_ms: elapsedMs(started),
  }
  return { result, losses }
}

const notExecuted = (task: Task, behind: Task | null | undefined): Result => ({
  ...resultOf(task, { statement_ms: [], observed: null, stays: [] }),
  status: 'planned',
  reason: behind
    ? `It comes after ${behind.script.file}, which cannot be undone.`
    : 'It does not run inside a transaction, so it cannot be undone.',
  duration_ms: null,
})
