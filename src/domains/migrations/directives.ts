/** What the header of a script says of how it is to be run. */
export interface Directives {
  readonly description: string
  /** `-- transaction: none`: every statement on its own. */
  readonly noTransaction: boolean
  readonly lockTimeoutMs: number | null
  readonly statementTimeoutMs: number | null
  /** Findings of the linter that the author answers for: rule and reason. */
  readonly allow: ReadonlyMap<string, string>
  /** Why there is no way back; null where nothing was said. */
  readonly irreversible: string | null
  /** `-- out-of-order: ok`: it may be applied although a higher version is already. */
  readonly outOfOrder: boolean
}

interface Draft extends Omit<Directives, 'allow'> {
  readonly allow: Map<string, string>
}

/** Takes one directive into the draft; answers what it should have been when it cannot be read. */
type Reader = (value: string, draft: Draft) => Partial<Draft> | string

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, min: 60_000, h: 3_600_000 }
const MAX_TIMEOUT_MS = 24 * 3_600_000

const READERS: Readonly<Record<string, Reader>> = {
  description: (description) => ({ description }),
  transaction: (value) => (value === 'none' ? { noTransaction: true } : 'none'),
  lock_timeout: (value) => timeout(value, (lockTimeoutMs) => ({ lockTimeoutMs })),
  statement_timeout: (value) => timeout(value, (statementTimeoutMs) => ({ statementTimeoutMs })),
  allow: (value, { allow }) => {
    const [, rule, reason] = /^([a-z0-9-]+) +(\S.*)$/.exec(value) ?? []
    if (!rule || !reason) return 'a rule and a reason, such as "create-index the table is empty"'
    allow.set(rule, reason)
    return {}
  },
  irreversible: (value) => (value ? { irreversible: value } : 'the reason'),
  'out-of-order': (value) => (value === 'ok' ? { outOfOrder: true } : 'ok'),
}

/**
 * Reads the comment lines at the very top of a script, up to the first other line; appends to
 * `faults` what cannot be read, for a directive that is silently ignored would be trusted.
 */
export function readDirectives(script: string, faults: string[]): Directives {
  let draft: Draft = {
    description: '',
    noTransaction: false,
    lockTimeoutMs: null,
    statementTimeoutMs: null,
    allow: new Map(),
    irreversible: null,
    outOfOrder: false,
  }
  for (const line of headerOf(script)) {
    const [, name, value = ''] = /^--\s*([a-z][a-z_-]*):(?:\s+(.*))?$/.exec(line.trimEnd()) ?? []
    if (name === undefined) continue
    const outcome =
      (Object.hasOwn(READERS, name) && READERS[name]?.(value, draft)) || unknownDirective()
    if (typeof outcome === 'string') faults.push(`"-- ${name}:" must be ${outcome}`)
    else draft = { ...draft, ...outcome }
  }
  return draft
}

/** Directives are short: the rest of a longer line is not looked at. */
const MAX_LINE = 1_000

/** The comment lines at the top, one after the other: what comes after them is not looked at. */
function* headerOf(script: string): Generator<string> {
  let start = 0
  while (script.startsWith('--', start)) {
    const end = script.indexOf('\n', start)
    yield script.slice(start, Math.min(end < 0 ? script.length : end, start + MAX_LINE))
    if (end < 0) return
    start = end + 1
  }
}

const unknownDirective = (): string =>
  `one of ${Object.keys(READERS).join(', ')}; leave an empty line before other comments`

function timeout(value: string, take: (ms: number) => Partial<Draft>): Partial<Draft> | string {
  const [, count, unit = 'ms'] = /^(\d{1,8})(ms|s|min|h)?$/.exec(value) ?? []
  const ms = Number(count) * (UNITS_MS[unit] ?? Number.NaN)
  return ms <= MAX_TIMEOUT_MS ? take(ms) : 'a duration up to 24h, such as 500ms, 3s or 2min'
}
