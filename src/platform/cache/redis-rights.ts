import type { RedisCommander } from 'ioredis'
import { isOutOfMemory } from './redis-errors.js'

/**
 * Runs every writing command that the cache uses on keys that nobody has: each of them answers
 * without changing anything, unless the user lacks a right to it or the server takes no writes. Reads
 * are not tried, for Redis would count them as misses. A cache without memory still serves: that is
 * told elsewhere.
 */
export async function tryCommands(
  redis: RedisCommander,
  keys: { readonly entry: string; readonly index: string },
): Promise<void> {
  const { entry, index } = keys
  const commands: Promise<unknown>[] = [
    redis.set(entry, '', 'EX', 1, 'XX'),
    redis.unlink(entry),
    redis.zadd(index, 'XX', 0, entry),
    redis.expire(index, 1),
    redis.zremrangebyscore(index, '-inf', 0),
  ]
  await Promise.all(
    commands.map((command) =>
      command.catch((error: unknown) => {
        if (!isOutOfMemory(error)) throw error
      }),
    ),
  )
}
