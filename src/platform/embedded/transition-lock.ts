import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { createRecord, readRecord, removeRecord } from './files.js'
import { formatIdentity, isRunning, parseIdentity, self } from './process-identity.js'

const POLL_MS = 10
/** Longer than a stop (20 s); only a crash recovery may take more, and then its owner says so. */
const PATIENCE_MS = 60_000
const FREE = 'free'

interface Generation {
  readonly number: number
  readonly owner: string
}

/**
 * Runs a task while no other server starts, stops or joins the services of this directory.
 *
 * Node has no flock(2), and "remove the lock file of a dead owner, then create mine" lets two
 * servers that found the same dead owner both in: the second removes the first one's new lock. So
 * no lock is ever taken away. Each owner creates the next of a series of records, `lock.1`,
 * `lock.2`, …; the highest one counts. It is free when its owner gave it up or no longer runs
 * (pid and start time, so nothing waits for a time-out after a kill -9), and then `lock.<n+1>` may
 * be created, which only one can. The number never falls, because a record is removed only when
 * a higher one exists.
 *
 * One hole is left and closed: a server may decide on n+1 from a listing so old that n+1 was
 * meanwhile owned, given up, followed and removed. It would then create n+1 below a living owner.
 * Hence every owner lists once more after creating and withdraws when it is not the highest. An
 * owner that passes this is safe: whoever lists later sees it, and whoever listed before it and
 * came higher would have been seen.
 */
export async function withTransitionLock<T>(
  directory: string,
  task: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const mine = await acquire(directory, signal)
  try {
    return await task()
  } finally {
    release(directory, mine)
  }
}

async function acquire(directory: string, signal?: AbortSignal): Promise<number> {
  const me = formatIdentity(self())
  const giveUpAt = Date.now() + PATIENCE_MS
  for (;;) {
    signal?.throwIfAborted()
    const newest = newestGeneration(directory)
    if (!isHeld(newest)) {
      const mine = newest.number + 1
      if (claim(directory, mine, me)) return mine
    } else if (Date.now() > giveUpAt) {
      throw heldTooLong(newest)
    } else {
      await sleep(POLL_MS)
    }
  }
}

function claim(directory: string, number: number, me: string): boolean {
  if (!createRecord(lockPath(directory, number), me)) return false
  if (newestGeneration(directory).number !== number) {
    removeRecord(lockPath(directory, number))
    return false
  }
  removeBelow(directory, number)
  return true
}

/** Given up by a free successor rather than by removal, so that the highest number never falls. */
function release(directory: string, number: number): void {
  createRecord(lockPath(directory, number + 1), FREE)
  removeBelow(directory, number + 1)
}

function newestGeneration(directory: string): Generation {
  for (;;) {
    const number = Math.max(0, ...generations(directory))
    if (number === 0) return { number, owner: FREE }
    const owner = readRecord(lockPath(directory, number))
    // Gone between the listing and the reading: a higher one exists by now.
    if (owner !== null) return { number, owner }
  }
}

function isHeld({ owner }: Generation): boolean {
  const identity = parseIdentity(owner)
  return identity !== null && isRunning(identity)
}

const generations = (directory: string): number[] =>
  readdirSync(directory).flatMap((name) => {
    const number = /^lock\.(\d+)$/.exec(name)?.[1]
    return number === undefined ? [] : [Number(number)]
  })

function removeBelow(directory: string, number: number): void {
  for (const older of generations(directory)) {
    if (older < number) removeRecord(lockPath(directory, older))
  }
}

const lockPath = (directory: string, number: number): string => join(directory, `lock.${number}`)

const heldTooLong = ({ owner }: Generation) =>
  new AppError(
    'unavailable',
    `Another catalyst-db (process ${parseIdentity(owner)?.pid}) has been starting or stopping the embedded services for over a minute.`,
    { hint: 'Read its log: it may be recovering a large database. Then start again.' },
  )
