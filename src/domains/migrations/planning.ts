import { AppError } from '../../errors.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import { isBuiltIn, isInDoubt, type Pending, UP_COMMAND } from './comparison.js'
import { type Migration, sha256 } from './files.js'
import { newestOf } from './inventory.js'
import type { Linting } from './linting.js'
import type { FileLosses } from './measure/loss.js'
import type { Finding, PlannedMigration, UpPlan } from './report.js'
import type { ScriptTask } from './run-context.js'
import { digestOfFirst, readScript, type Script } from './script.js'
import type { LedgerRow } from './sql.js'
import { standaloneLoss } from './standalone.js'

const NEXT = { before: '', command: UP_COMMAND }

/** A pending file, read and ready to be run. */
export interface PreparedUp {
  readonly migration: Migration
  readonly task: ScriptTask
  readonly lint: readonly Finding[]
}

/**
 * Parses and judges pending files; the product's own were judged before they were released.
 *
 * @throws AppError `invalid_input` when one cannot be run, `precondition_failed` when the part of one
 *   that is done already was edited
 */
export async function prepareUp(
  pending: readonly Pending[],
  linting: Linting,
  signal?: AbortSignal,
): Promise<PreparedUp[]> {
  const prepared: PreparedUp[] = []
  for (const { migration, attempt } of pending) {
    const script = await readScript(migration.file, migration.upSql, signal)
    const { version, name, downSql, directives } = migration
    const task = { version, name, script, ...progressOf(script, attempt), next: NEXT }
    const hasDown = downSql !== null || directives.irreversible !== null
    const about = { hasDown, isBuiltIn: false }
    const lint = isBuiltIn(migration) ? [] : await linting.of(task, about)
    prepared.push({ migration, task, lint })
  }
  return prepared
}

/**
 * Where a script goes on; whoever goes on must go on with the same script.
 *
 * @throws AppError `precondition_failed` when what is done was edited
 */
export function progressOf(
  script: Script,
  attempt: LedgerRow | null,
): Pick<ScriptTask, 'done' | 'isInDoubt'> {
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

/** The plan's entry of a script. */
export const planned = (
  { version, name, script, done }: ScriptTask,
  description: string,
  lint: readonly Finding[],
): PlannedMigration => ({
  version,
  name,
  description,
  transactional: script.isTransactional,
  statements: script.steps.length,
  statements_done: done,
  lint,
})

/** What `up` would do with the prepared files, and lose as far as that was measured. */
export function planUpOf(
  prepared: readonly PreparedUp[],
  rows: readonly LedgerRow[],
  measured: readonly FileLosses[],
): UpPlan {
  const migrations = prepared.map(({ migration, task, lint }) =>
    planned(task, migration.description, lint),
  )
  const losses = withKnown(prepared, measured)
  return {
    migrations,
    losses,
    new_version: Math.max(newestOf(rows), migrations.at(-1)?.version ?? 0),
    digest: sha256(canonicalJson({ scripts: filesDigest(prepared), losses })),
    destructive: losses.length > 0 || migrations.some(({ lint }) => needsConfirmation(lint)),
  }
}

/** What is measured, and what statements outside of transactions do, which is known before. */
export function withKnown(
  prepared: readonly { readonly task: ScriptTask }[],
  measured: readonly FileLosses[],
): FileLosses[] {
  return prepared.flatMap(({ task: { version, script, done } }) => {
    const steps = script.steps.slice(done)
    const known = steps.flatMap(({ standalone }) => standaloneLoss(standalone))
    const found = measured.flatMap((one) => (one.version === version ? one.losses : []))
    const losses = [...known, ...found]
    return losses.length === 0 ? [] : [{ version, losses }]
  })
}

/** SHA-256 of everything that would run, so that what was measured of it is found again. */
export const filesDigest = (prepared: readonly PreparedUp[]): string =>
  sha256(
    canonicalJson(
      prepared.map(({ migration, task }) => ({
        version: migration.version,
        name: migration.name,
        up: migration.upSha256,
        down: migration.downSql === null ? null : sha256(migration.downSql),
        done: task.done,
      })),
    ),
  )

/** Somebody must say yes before it runs. */
const needsConfirmation = (lint: readonly Finding[]): boolean =>
  lint.some(({ severity }) => severity === 'block')
