/**
 * What `work` comes to, which must be before a timer of this process rings that begins now. Of two
 * waits of one process the longer one ends later, however slow the machine is.
 */
export async function soonerThan<T>(ms: number, work: Promise<T>): Promise<T> {
  let hasRung = false
  const timer = setTimeout(() => {
    hasRung = true
  }, ms)
  const value = await work.finally(() => clearTimeout(timer))
  if (hasRung) throw new Error(`it took longer than a timer of ${ms} ms`)
  return value
}
