import { createHash } from 'node:crypto'
import { AppError } from '../../errors.js'
import { canonicalJson } from '../../lib/canonical-json.js'
import type { Database } from './database.js'
import { awaitReplication, outcomeUnknown } from './fate.js'
import { repeatWhenUndone } from './policies.js'
import type { Queryable, Transaction } from './queryable.js'
import { prepared, sql } from './sql.js'

/** One effect, named by its caller so that repeating it is harmless. */
export interface KeyedEffect {
  readonly principal: string
  readonly tool: string
  readonly arguments: unknown
  readonly idempotencyKey: string | null
}

/** A call whose key is in flight waits for the first one to end. */
const KEY_WAIT_MS = 20_000

/**
 * Runs `work` in a transaction of its own, again when PostgreSQL could not serialise it or was lost
 * before it committed. With a key the answer is stored in the same transaction, so that repeating
 * the call gives it back.
 *
 * @throws AppError `conflict` when the key was used with other arguments; `outcome_unknown`, which
 *   only a call with a key may simply be sent again
 */
export async function runExactlyOnce<T>(
  database: Database,
  effect: KeyedEffect,
  signal: AbortSignal,
  work: (tx: Transaction) => Promise<T>,
): Promise<{ answer: T; replayed: boolean }> {
  const options =
    effect.idempotencyKey === null ? { signal } : { signal, lockTimeoutMs: KEY_WAIT_MS }
  try {
    return await repeatWhenUndone(signal, () =>
      database.transaction((tx) => applyOnce(tx, effect, work), options),
    )
  } catch (error) {
    const isUnknown = error instanceof AppError && error.code === 'outcome_unknown'
    // Nothing would notice that the same call had been applied before.
    if (isUnknown && effect.idempotencyKey === null) throw outcomeUnknown(error.cause, false)
    throw error
  }
}

/** The effect with its key, inside a transaction that somebody else commits. */
export async function applyOnce<T>(
  tx: Transaction,
  effect: KeyedEffect,
  work: (tx: Transaction) => Promise<T>,
): Promise<{ answer: T; replayed: boolean }> {
  const { idempotencyKey: key } = effect
  if (key === null) return { answer: await work(tx), replayed: false }
  const digest = digestOf(effect)
  if ((await tx.run(claimKey(effect, key, digest))) === 0) {
    return { answer: (await storedAnswer(tx, effect, key, digest)) as T, replayed: true }
  }
  const answer = await work(tx)
  await tx.run(storeAnswer(effect, key, answer))
  return { answer, replayed: false }
}

/**
 * What the call with this key was answered, once it has been committed; null before, and without a key.
 * With `waits`, null says that it has not been committed and never will be: one that is still under way
 * is waited for.
 *
 * @throws AppError `conflict` when the key was used with other arguments
 */
export async function committedAnswer<T>(
  database: Database,
  effect: KeyedEffect,
  signal: AbortSignal,
  { waits = false } = {},
): Promise<{ answer: T; replayed: boolean } | null> {
  const { idempotencyKey: key } = effect
  if (key === null) return null
  const digest = digestOf(effect)
  const look = async (tx: Transaction) => {
    if (waits && (await tx.run(claimKey(effect, key, digest))) > 0) {
      await tx.run(releaseKey(effect, key))
      return null
    }
    if (!(await tx.maybeOne(selectKey(effect, key)))) return null
    return { answer: (await storedAnswer(tx, effect, key, digest)) as T, replayed: true }
  }
  const options = { signal, lockTimeoutMs: KEY_WAIT_MS, wroteNothing: true }
  return repeatWhenUndone(signal, () => database.transaction(look, options))
}

const digestOf = (effect: KeyedEffect): Buffer =>
  createHash('sha256').update(canonicalJson(effect.arguments)).digest()

async function storedAnswer(
  tx: Transaction,
  effect: KeyedEffect,
  key: string,
  digest: Buffer,
): Promise<unknown> {
  const stored = await tx.one(selectKey(effect, key))
  if (stored.job_id === null && isSameCall(stored, effect, digest)) {
    // The first commit may be visible although its standby never confirmed it: the primary was
    // restarted meanwhile. Repeating its answer must wait for the standby as it should have.
    await tx.run(awaitReplication())
    return stored.answer
  }
  throw keyConflict()
}

/**
 * The job that a key stands for: `jobId` when it stood for nothing, which is then the caller's to make.
 * The key is the transaction's alone until it ends.
 *
 * @throws AppError `conflict` when the key was used with other arguments, or by a call that is no job
 */
export async function claimForJob(
  tx: Transaction,
  effect: KeyedEffect,
  key: string,
  jobId: string,
): Promise<string> {
  const isNew = (await tx.run(claimKey(effect, key, digestOf(effect)))) > 0
  if (isNew) await passOn(tx, effect, key, { from: null, to: jobId })
  return (await jobOfKey(tx, effect, key)) ?? jobId
}

/** Lets the key stand for another job; false when it no longer stands for the one it did. */
export const passOn = async (
  tx: Transaction,
  { principal }: KeyedEffect,
  key: string,
  { from, to }: { readonly from: string | null; readonly to: string },
): Promise<boolean> =>
  (await tx.run(sql`
    update catalyst.idempotency_keys
    set job_id = ${to}::text
    where principal = ${principal}::text
      and key = ${key}::text
      and job_id is not distinct from ${from}::text`)) > 0

/**
 * The job that a key stands for; null when it was not used.
 *
 * @throws AppError `conflict` when the key was used with other arguments, or by a call that is no job
 */
export async function jobOfKey(
  db: Queryable,
  effect: KeyedEffect,
  key: string,
): Promise<string | null> {
  const stored = await db.maybeOne(selectKey(effect, key))
  if (!stored) return null
  if (stored.job_id === null || !isSameCall(stored, effect, digestOf(effect))) throw keyConflict()
  return stored.job_id
}

const isSameCall = (stored: StoredKey, { tool }: KeyedEffect, digest: Buffer): boolean =>
  stored.tool === tool && digest.equals(stored.arguments_sha256)

const keyConflict = (): AppError =>
  new AppError(
    'conflict',
    'This idempotency_key was used before, by another tool or with other arguments.',
    { hint: 'Use a new key for a new call; the same key only for the same call.' },
  )

interface StoredKey {
  readonly tool: string
  readonly arguments_sha256: Buffer
  readonly answer: unknown
  /** The job whose answer it is, for calls of job tools. */
  readonly job_id: string | null
}

/** Waits for a transaction that has claimed the same key and not ended yet. */
const claimKey = ({ principal, tool }: KeyedEffect, key: string, digest: Buffer) =>
  prepared(
    'idempotency.claim',
    sql`
      insert into catalyst.idempotency_keys (principal, key, tool, arguments_sha256)
      values (${principal}::text, ${key}::text, ${tool}::text, ${digest}::bytea)
      on conflict (principal, key) do nothing`,
  )

const releaseKey = ({ principal }: KeyedEffect, key: string) => sql`
  delete from catalyst.idempotency_keys
  where principal = ${principal}::text
    and key = ${key}::text`

const storeAnswer = ({ principal }: KeyedEffect, key: string, answer: unknown) =>
  prepared(
    'idempotency.answer',
    sql`
      update catalyst.idempotency_keys
      set answer = ${JSON.stringify(answer)}::jsonb
      where principal = ${principal}::text
        and key = ${key}::text`,
  )

const selectKey = ({ principal }: KeyedEffect, key: string) =>
  sql<StoredKey>`
    select tool, arguments_sha256, answer, job_id
    from catalyst.idempotency_keys
    where principal = ${principal}::text
      and key = ${key}::text`
