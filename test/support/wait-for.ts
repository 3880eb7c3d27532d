import { setTimeout as delay } from 'node:timers/promises'

/** Polls until `condition` answers something truthy; fails loudly when it does not in time. */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  options: { timeoutMs?: number; what?: string | (() => string) } = {},
): Promise<Exclude<T, false | null | undefined | 0 | ''>> {
  const { timeoutMs = 300_000, what = 'the condition' } = options
  const deadline = Date.now() + timeoutMs
  for (;;) {
    const value = await condition()
    if (value) return value as Exclude<T, false | null | undefined | 0 | ''>
    if (Date.now() > deadline) {
      const unmet = typeof what === 'function' ? what() : what
      throw new Error(`${unmet} did not come true within ${timeoutMs} ms`)
    }
    await delay(20)
  }
}
