import { AppError } from '../../errors.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import type { ScriptSession } from '../../platform/postgres/roles/script-login.js'
import { contextOf, type RunStart } from './apply.js'
import {
  downCommand,
  isBuiltIn,
  isUnfinishedUp,
  UP_COMMAND,
  unfinished,
  versionBelow,
} from './comparison.js'
import { sha256 } from './files.js'
import { UnconfirmedLoss } from './guard.js'
import { newestOf } from './inventory.js'
import type { Linting } from './linting.js'
import type { FileLosses } from './measure/loss.js'
import { planned, progressOf } from './planning.js'
import { recordDown } from './recording.js'
import type { DownPlan, Finding } from './report.js'
import type { RunContext, ScriptTask } from './run-context.js'
import { asOwnScript, asScript } from './runner-session.js'
import { readScript } from './script.js'
import { runAsTransaction } from './script-run.js'
import { runStepByStep } from './single-steps.js'
import * as ledger from './sql.js'

/** An applied migration whose stored down script is read and ready to be run. */
export interface PreparedDown {
  readonly row: ledger.LedgerRow
  readonly task: ScriptTask
  readonly lint: readonly Finding[]
}

/** How far down, and whether the product's own migrations may be undone. */
export interface DownRange {
  readonly target: number
  readonly includeBuiltIn: boolean
}

/**
 * What must be rolled back to reach the target, newest first.
 *
 * @throws AppError when the target is no applied version, or something above it has no way back
 */
export async function prepareDown(
  rows: readonly ledger.LedgerRow[],
  range: DownRange,
  linting: Linting,
  signal?: AbortSignal,
): Promise<PreparedDown[]> {
  refuseTarget(rows, range.target)
  const above = rows.filter(({ version }) => version > range.target).reverse()
  for (const row of above) refuseRollback(row, range)
  const prepared: PreparedDown[] = []
  for (const row of above) prepared.push(await prepareOne(row, range.target, linting, signal))
  return prepared
}

/** What `rollback` would do with the prepared scripts. */
export function planDownOf(
  prepared: readonly PreparedDown[],
  rows: readonly ledger.LedgerRow[],
  losses: readonly FileLosses[] | null,
): DownPlan {
  const lowest = prepared.at(-1)?.row.version
  const scripts = scriptsDigest(prepared)
  return {
    scripts,
    losses,
    rollbacks: prepared.map(({ task, lint }) => planned(task, '', lint)),
    current_version: lowest === undefined ? newestOf(rows) : versionBelow(lowest, rows),
    digest: sha256(canonicalJson({ scripts, losses })),
  }
}

/** SHA-256 of what would run. */
export const scriptsDigest = (prepared: readonly PreparedDown[]): string =>
  sha256(canonicalJson(prepared.map(({ row, task }) => [row.version, row.down_sql, task.done])))

/** Runs the down scripts; answers the versions that are rolled back. */
export async function rollBackAll(
  start: RunStart,
  prepared: readonly PreparedDown[],
  confirmed: readonly FileLosses[],
): Promise<number[]> {
  const base = contextOf(
    start,
    prepared.map(({ task }) => task),
  )
  const done: number[] = []
  for (const { row, task } of prepared) {
    const losses = confirmed.filter(({ version }) => version === row.version)
    const about = { isMeasured: !isBuiltIn(row), confirmed: losses.flatMap((one) => one.losses) }
    const run = (script: ScriptSession) => rollBackOne({ ...base, ...about, ...script }, row, task)
    try {
      if (isBuiltIn(row)) await asOwnScript(start.session, run)
      else await asScript(start.scripts, start.session, run)
    } catch (error) {
      throw error instanceof UnconfirmedLoss ? error.after(done) : error
    }
    done.push(row.version)
  }
  return done
}

async function rollBackOne(
  context: RunContext,
  row: ledger.LedgerRow,
  task: ScriptTask,
): Promise<void> {
  const { script } = task
  const { ledger: session } = context
  const record = (durationMs: number) =>
    recordDown({ ...context, session }, row, { script, durationMs })
  const begun = async () => {
    await session.many(ledger.recordDownBegun(row.version, script.steps.length))
  }
  if (script.isTransactional) {
    await runAsTransaction(context, task, { begun, record })
    return
  }
  await begun()
  await runStepByStep(context, task, record)
}

async function prepareOne(
  row: ledger.LedgerRow,
  target: number,
  linting: Linting,
  signal?: AbortSignal,
): Promise<PreparedDown> {
  const { version, name } = row
  const file = `${String(version).padStart(4, '0')}_${name}.down.sql`
  const script = await readScript(file, row.down_sql ?? '', signal)
  const progress = progressOf(script, row.status === 'failed' ? row : null)
  const task = { version, name, script, ...progress, next: nextOf(target) }
  const about = { hasDown: true, isBuiltIn: isBuiltIn(row) }
  return { row, task, lint: await linting.of(task, about) }
}

/** What runs is the script as it was stored; a corrected file must take its place first. */
const nextOf = (target: number) => ({
  before: ' run "catalyst-db migrate repair" so that the database takes it,',
  command: downCommand(target),
})

function refuseTarget(rows: readonly ledger.LedgerRow[], target: number): void {
  if (target === 0 || rows.some(({ version }) => version === target)) return
  const below = rows.filter(({ version }) => version < target).at(-1)?.version ?? 0
  throw new AppError('invalid_input', `Version ${target} is not applied.`, {
    hint: `Name the version that is to stay the newest, such as ${below}.`,
  })
}

function refuseRollback(row: ledger.LedgerRow, { includeBuiltIn }: DownRange): void {
  const { version, name, down_sql } = row
  if (isBuiltIn(row) && !includeBuiltIn) {
    throw new AppError(
      'precondition_failed',
      `Migration ${version} (${name}) is part of catalyst-db, which does not work without it.`,
      {
        hint: 'Choose a target that keeps every version below 1000. Before an older release is installed: "catalyst-db migrate down --target <version> --include-built-in".',
      },
    )
  }
  if (isUnfinishedUp(row)) {
    throw new AppError('precondition_failed', unfinished(row).message, {
      hint: `Only a whole migration can be rolled back. Correct or shorten the rest of its file and run "${UP_COMMAND}" first.`,
    })
  }
  if (down_sql === null) {
    throw new AppError(
      'precondition_failed',
      `Migration ${version} (${name}) has no down script.`,
      {
        hint: 'It cannot be rolled back: write a new migration that undoes what must go, or restore a backup.',
      },
    )
  }
}
