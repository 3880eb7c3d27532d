/** Counts keys, and those among them that begin with each prefix. */
export class PrefixCounts {
  readonly byPrefix: Map<string, number>
  total = 0

  constructor(prefixes: readonly string[]) {
    this.byPrefix = new Map(prefixes.map((prefix) => [prefix, 0]))
  }

  add(keys: readonly string[]): void {
    this.total += keys.length
    for (const [prefix, count] of this.byPrefix) {
      this.byPrefix.set(prefix, count + keys.filter((key) => key.startsWith(prefix)).length)
    }
  }
}
