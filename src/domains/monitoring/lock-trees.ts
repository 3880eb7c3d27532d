import type { LockNamed, LockSession } from './locks.sql.js'

/** A session and all who wait for it. */
export interface LockTree extends Omit<LockSession, 'blocked_by' | 'wanted' | 'held'> {
  /** What it waits for; at the root what it holds against the first who waits. */
  readonly lock: LockNamed | null
  readonly blocks: readonly LockTree[]
}

/**
 * Trees of who waits for whom, roots first, the one with the longest wait before others. Who waits for several
 * stands below the first of them that is not below itself; a deadlock, which PostgreSQL is about to end, has one
 * of its sessions as its root.
 */
export function lockTrees(sessions: readonly LockSession[]): LockTree[] {
  const byPid = new Map(sessions.map((one) => [one.pid, one]))
  const placed = new Set<number>()
  const blockedBy = (pid: number) =>
    sessions.filter(({ blocked_by }) => blocked_by.includes(pid)).sort(byWait)
  const treeOf = (session: LockSession, isRoot: boolean): LockTree => {
    placed.add(session.pid)
    const { blocked_by: _by, wanted, held, ...facts } = session
    const waiters = blockedBy(session.pid).filter(({ pid }) => !placed.has(pid))
    for (const { pid } of waiters) placed.add(pid)
    const lock = isRoot ? against(session, waiters[0]) : wanted
    return { ...facts, lock, blocks: waiters.map((waiter) => treeOf(waiter, false)) }
  }
  const roots = sessions.filter(({ blocked_by }) => !blocked_by.some((pid) => byPid.has(pid)))
  const trees = roots.map((root) => treeOf(root, true))
  for (const left of [...sessions].sort(byWait)) {
    if (!placed.has(left.pid)) trees.push(treeOf(inCircle(left, byPid), true))
  }
  return trees
    .filter(({ blocks }) => blocks.length > 0)
    .sort((a, b) => longestWait(b) - longestWait(a))
}

/** Where the way from a session through those it waits for comes by a second time: in the deadlock it waits for. */
function inCircle(session: LockSession, byPid: ReadonlyMap<number, LockSession>): LockSession {
  const seen = new Set<LockSession>()
  let at = session
  while (!seen.has(at)) {
    seen.add(at)
    at = at.blocked_by.map((pid) => byPid.get(pid)).find((one) => one !== undefined) ?? at
  }
  return at
}

const byWait = (a: LockSession, b: LockSession): number => (b.wait_ms ?? 0) - (a.wait_ms ?? 0)

/** Of what the root holds that which the first waiter wants: the same table, else a row's transaction. */
function against(root: LockSession, waiter: LockSession | undefined): LockNamed | null {
  const wanted = waiter?.wanted
  if (!wanted) return root.held[0] ?? null
  if (wanted.type === 'transactionid' || wanted.type === 'virtualxid') {
    const relation = wanted.relation ?? root.held[0]?.relation ?? null
    const held = root.held.find((one) => one.relation === relation)
    return { type: wanted.type, mode: held?.mode ?? 'ExclusiveLock', relation }
  }
  return root.held.find(({ relation }) => relation === wanted.relation) ?? root.held[0] ?? null
}

/** The longest wait in a tree, in milliseconds. */
export const longestWait = ({ wait_ms, blocks }: LockTree): number =>
  Math.max(wait_ms ?? 0, ...blocks.map(longestWait))

/** How many wait in a tree. */
export const waitersOf = ({ blocks }: LockTree): number =>
  blocks.reduce((sum, below) => sum + 1 + waitersOf(below), 0)

/** Table locks that reads and writes can live beside. */
const WEAK = ['AccessShareLock', 'RowShareLock', 'RowExclusiveLock', 'ShareUpdateExclusiveLock']

/**
 * Who is to be dealt with. That is the root, unless somebody who wants the whole table stands in the queue
 * between one that only reads or writes and everybody else.
 */
export function causeOf(tree: LockTree): LockTree {
  const queued = tree.blocks.find(
    ({ lock, blocks }) => lock?.mode === 'AccessExclusiveLock' && blocks.length > 0,
  )
  const isWeak =
    tree.lock === null || tree.lock.type !== 'relation' || WEAK.includes(tree.lock.mode)
  return queued && isWeak && tree.state === 'active' ? queued : tree
}

/** A lock in words, such as "RowExclusiveLock on public.trades". */
export const lockText = (lock: LockNamed | null): string =>
  lock === null
    ? 'a lock'
    : `${lock.mode}${lock.relation ? ` on ${lock.relation}` : ` (${lock.type})`}`

/** What to do about who stands in the way; a session is cancelled before it is ended, and never unasked. */
export function lockAdvice(tree: LockTree): string {
  if (tree.pid === 0) {
    return `A prepared transaction holds the locks${tree.gid ? ' (see prepared_transaction)' : ''}: have its owner run commit prepared or rollback prepared.`
  }
  if (tree.state?.startsWith('idle in transaction')) {
    return `Have the owner of process ${tree.pid} end its transaction; if nobody does, select pg_terminate_backend(${tree.pid}) rolls it back.`
  }
  if (tree.lock?.mode === 'AccessExclusiveLock' && tree.wait_ms !== null) {
    return `Cancel the queued statement with select pg_cancel_backend(${tree.pid}), and send it again with a lock_timeout.`
  }
  return `Wait for process ${tree.pid}, or stop its statement with select pg_cancel_backend(${tree.pid}); pg_terminate_backend only if that does not help.`
}
