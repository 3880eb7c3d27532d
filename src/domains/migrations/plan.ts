import { AppError } from '../../errors.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import type { Statement } from '../../platform/postgres/sql.js'
import type { Finding } from '../../platform/sql-parser/lint/lint-script.js'
import { isBuiltIn, sha256 } from './files.js'
import {
  downCommand,
  type Inventory,
  isInDoubt,
  isUnfinishedUp,
  newestOf,
  refuseProblems,
  UP_COMMAND,
  unfinished,
  versionBelow,
} from './inventory.js'
import * as ledger from './ledger.sql.js'
import type { Linting } from './linting.js'
import { type FileLosses, standaloneLoss } from './losses.js'
import { digestOfFirst, readScript, type Script } from './script.js'
import type { NextStep } from './script-failure.js'

/** A script that is read and ready to be run for one migration, up or down. */
export interface Task {
  readonly direction: 'up' | 'down'
  readonly version: number
  readonly name: string
  readonly checksum: string
  readonly script: Script
  /** Statements that an earlier attempt has recorded as done. */
  readonly done: number
  /** An earlier attempt began the next statement, and nobody recorded how it ended. */
  readonly isInDoubt: boolean
  /** There is a way back from it. */
  readonly hasDown: boolean
  readonly lint: readonly Finding[]
  /** What goes on after a failure, once the script is corrected. */
  readonly next: NextStep
  /** All that is run and kept of it, for the digest of the plan. */
  readonly contents: readonly unknown[]
  /** Says in the ledger that it is under way. */
  begun(run: { readonly by: string; readonly appVersion: string }): Statement<unknown>
  /** Says there that all of it is done. */
  ended(durationMs: number): Statement<unknown>
}

/** What would run now. */
export interface Plan {
  readonly tasks: readonly Task[]
  /** As far as they were measured: a run measures again, and keeps nothing that goes beyond them. */
  readonly losses: readonly FileLosses[]
  readonly isMeasured: boolean
  /** The version that is the newest afterwards. */
  readonly version: number
  /** SHA-256 of all that will run, and of what it loses. */
  readonly digest: string
  /** It loses data or locks what is in use, so that it must be confirmed. */
  readonly destructive: boolean
}

/** Which way, and how far. */
export type Course =
  | { readonly direction: 'up'; readonly target: number | null }
  /** Built-in migrations are undone only before an older release is installed. */
  | { readonly direction: 'down'; readonly target: number; readonly includeBuiltIn: boolean }

/**
 * Reads and judges what a course runs, in its order; the product's own was judged before it was released.
 *
 * @throws AppError `invalid_input` for a target that is no version or a script that cannot be run,
 *   `precondition_failed` when something else stands in the way
 */
export async function prepare(
  course: Course,
  inventory: Inventory,
  linting: Linting,
  signal?: AbortSignal,
): Promise<Task[]> {
  const unjudged =
    course.direction === 'up'
      ? pendingTo(course.target, inventory).map((one) => () => upTask(one, signal))
      : appliedAbove(course, inventory).map((row) => () => downTask(row, course.target, signal))
  const tasks: Task[] = []
  for (const read of unjudged) {
    const task = await read()
    tasks.push({ ...task, lint: isBuiltIn(task) ? [] : await linting.of(task) })
  }
  refuseErrors(tasks)
  return tasks
}

/** What would run, and lose as far as that was measured. */
export function planOf(
  { direction }: Course,
  tasks: readonly Task[],
  rows: readonly ledger.LedgerRow[],
  measured: readonly FileLosses[] | null,
): Plan {
  const last = tasks.at(-1)?.version
  const losses = withKnown(tasks, measured ?? [])
  const undone = last === undefined ? newestOf(rows) : versionBelow(last, rows)
  return {
    tasks,
    losses,
    isMeasured: measured !== null,
    version: direction === 'up' ? Math.max(newestOf(rows), last ?? 0) : undone,
    digest: sha256(canonicalJson({ scripts: digestOfScripts(tasks), losses })),
    destructive:
      direction === 'down'
        ? tasks.length > 0
        : losses.length > 0 ||
          tasks.some(({ lint }) => lint.some(({ severity }) => severity === 'block')),
  }
}

/** SHA-256 of everything that would run, so that what was measured of it is found again. */
export const digestOfScripts = (tasks: readonly Task[]): string =>
  sha256(canonicalJson(tasks.map(({ version, contents, done }) => [version, ...contents, done])))

/** What is measured, and what statements outside of transactions do, which is known before. */
function withKnown(tasks: readonly Task[], measured: readonly FileLosses[]): FileLosses[] {
  return tasks.flatMap(({ version, script, done }) => {
    const known = script.steps.slice(done).flatMap(({ standalone }) => standaloneLoss(standalone))
    const found = measured.flatMap((one) => (one.version === version ? one.losses : []))
    const losses = [...known, ...found]
    return losses.length === 0 ? [] : [{ version, losses }]
  })
}

/**
 * Whether exactly this plan was confirmed; false where nothing has to be.
 *
 * @throws AppError `confirmation_required` for what nobody confirmed, `conflict` for what is no longer
 *   what was confirmed
 */
export function isConfirmed(
  { digest, destructive }: Pick<Plan, 'digest' | 'destructive'>,
  confirmed: string | null,
): boolean {
  if (confirmed === null && destructive) {
    throw new AppError('confirmation_required', 'This plan loses data or locks what is in use.', {
      hint: 'Look at its findings, then confirm it; "catalyst-db migrate" does so with --yes.',
    })
  }
  if (confirmed !== null && confirmed !== digest) {
    throw new AppError('conflict', 'What would run changed since it was confirmed; nothing ran.', {
      hint: 'Ask for the plan again and confirm that.',
    })
  }
  return confirmed !== null
}

function pendingTo(target: number | null, inventory: Inventory): Inventory['pending'] {
  const { pending, migrations, rows, problems } = inventory
  refuseProblems(problems)
  if (target === null) return pending
  if (![...migrations, ...rows].some(({ version }) => version === target)) {
    const last = migrations.at(-1)?.version ?? 0
    throw new AppError('invalid_input', `No migration has version ${target}.`, {
      hint: `The newest is ${last}; "catalyst-db migrate status" and catalyst://db/migrations/status list what is pending.`,
    })
  }
  return pending.filter(({ migration }) => migration.version <= target)
}

type Unjudged = Omit<Task, 'lint'>

async function upTask(
  { migration, attempt }: Inventory['pending'][number],
  signal?: AbortSignal,
): Promise<Unjudged> {
  const { version, name, upSha256, downSql } = migration
  const script = await readScript(migration.file, migration.upSql, signal)
  const statements = script.steps.length
  return {
    direction: 'up',
    version,
    name,
    checksum: upSha256,
    script,
    ...progressOf(script, attempt),
    next: { before: '', command: UP_COMMAND },
    contents: [name, upSha256, downSql],
    hasDown: downSql !== null,
    begun: (run) => ledger.recordBegun(migration, { statements, ...run }),
    ended: (durationMs) => ledger.recordApplied(version, durationMs),
  }
}

function appliedAbove(
  course: Course & { readonly direction: 'down' },
  { rows }: Inventory,
): ledger.LedgerRow[] {
  const { target } = course
  if (target !== 0 && !rows.some(({ version }) => version === target)) {
    throw new AppError('invalid_input', `Version ${target} is not applied.`, {
      hint: `Name the version that is to stay the newest, such as ${versionBelow(target, rows)}.`,
    })
  }
  const above = rows.filter(({ version }) => version > target).reverse()
  for (const row of above) refuseRollback(row, course.includeBuiltIn)
  return above
}

async function downTask(
  row: ledger.LedgerRow,
  target: number,
  signal?: AbortSignal,
): Promise<Unjudged> {
  const { version, name, checksum, down_sql } = row
  const file = `${String(version).padStart(4, '0')}_${name}.down.sql`
  const script = await readScript(file, down_sql ?? '', signal)
  return {
    direction: 'down',
    version,
    name,
    checksum,
    script,
    ...progressOf(script, row.status === 'failed' ? row : null),
    // What runs is the script as it was stored; a corrected file must take its place first.
    next: {
      before: ' run "catalyst-db migrate repair" so that the database takes it,',
      command: downCommand(target),
    },
    contents: [down_sql],
    hasDown: true,
    begun: () => ledger.recordDownBegun(version, script.steps.length),
    ended: () => ledger.removeMigration(version),
  }
}

/** Where a script goes on; whoever goes on must go on with the same script. */
function progressOf(
  script: Script,
  attempt: ledger.LedgerRow | null,
): Pick<Task, 'done' | 'isInDoubt'> {
  if (!attempt) return { done: 0, isInDoubt: false }
  const { statements_done: done, done_sha256 } = attempt
  if (done > 0 && digestOfFirst(script, done) !== done_sha256) {
    const part = done === 1 ? 'Statement 1' : `Statements 1 to ${done}`
    throw new AppError(
      'precondition_failed',
      `${part} of ${script.file} ran already, and the file was edited there since.`,
      { hint: 'Restore that part as it was; only what comes after it may be changed.' },
    )
  }
  return { done, isInDoubt: isInDoubt(attempt) }
}

function refuseRollback(row: ledger.LedgerRow, includeBuiltIn: boolean): void {
  const refuse = (message: string, hint: string): never => {
    throw new AppError('precondition_failed', message, { hint })
  }
  const migration = `Migration ${row.version} (${row.name})`
  if (isBuiltIn(row) && !includeBuiltIn) {
    refuse(
      `${migration} is part of catalyst-db, which does not work without it.`,
      'Choose a target that keeps every version below 1000. Before an older release is installed: "catalyst-db migrate down --target <version> --include-built-in".',
    )
  }
  if (isUnfinishedUp(row)) {
    refuse(
      unfinished(row).message,
      `Only a whole migration can be rolled back. Correct or shorten the rest of its file and run "${UP_COMMAND}" first.`,
    )
  }
  if (row.down_sql === null) {
    refuse(
      `${migration} has no down script.`,
      'It cannot be rolled back: write a new migration that undoes what must go, or restore a backup.',
    )
  }
}

/** What the linter says may never run. */
function refuseErrors(tasks: readonly Task[]): void {
  for (const { script, lint } of tasks) {
    const finding = lint.find(({ severity }) => severity === 'error')
    if (!finding) continue
    const { rule, line, message, rewrite } = finding
    throw new AppError(
      'precondition_failed',
      `${script.file}, line ${line}: ${message} (${rule})`,
      {
        hint: rewrite ?? 'This is never run: take it out of the file.',
      },
    )
  }
}
