type End = () => Promise<void>

/** What the file that runs has begun, in its order. */
const begun = new Set<End>()

/** Ends something at the end of the file of tests, unless that is done before; the last that began first. */
export function endsWithFile(end: End): End {
  let ended: Promise<void> | undefined
  const once = () => {
    begun.delete(once)
    ended ??= end()
    return ended
  }
  begun.add(once)
  return once
}

/** Ends what the file has left. */
export async function endFile(): Promise<void> {
  for (const end of [...begun].reverse()) await end()
}
