/** What one step of a pattern accepts: a run of any bytes, or one byte that passes the test. */
type Step = 'any run' | ((byte: string) => boolean)

interface Class {
  readonly accepts: (byte: string) => boolean
  readonly end: number
}

/** Makes text match only itself when it becomes part of a pattern. */
export const escapeGlob = (text: string): string => text.replace(/[*?[\]\\]/g, '\\$&')

/**
 * Redis's own glob matching (`stringmatchlen` in its util.c), so that both engines answer a pattern
 * alike. Like Redis it compares bytes: `?` is one byte of the UTF-8 form, not one character.
 */
export function globMatcher(pattern: string): (text: string) => boolean {
  const steps = parse(bytesOf(pattern))
  return (text) => matches(steps, bytesOf(text))
}

/** One character for each UTF-8 byte. */
const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

function parse(pattern: string): Step[] {
  const steps: Step[] = []
  let at = 0
  while (at < pattern.length) {
    const char = pattern.charAt(at)
    if (char === '[') {
      const { accepts, end } = parseClass(pattern, at + 1)
      steps.push(accepts)
      at = end
      continue
    }
    const escaped = char === '\\' && at + 1 < pattern.length
    if (escaped) at += 1
    steps.push(escaped ? literal(pattern.charAt(at)) : stepOf(char))
    at += 1
  }
  return steps
}

const stepOf = (char: string): Step =>
  char === '*' ? 'any run' : char === '?' ? () => true : literal(char)

const literal = (expected: string) => (byte: string) => byte === expected

/** `[...]` from behind its bracket. An unclosed class ends with the pattern, as in Redis. */
function parseClass(pattern: string, start: number): Class {
  const negated = pattern.charAt(start) === '^'
  const members: ((byte: string) => boolean)[] = []
  let at = negated ? start + 1 : start
  while (at < pattern.length && pattern.charAt(at) !== ']') {
    const { accepts, end } = parseMember(pattern, at)
    members.push(accepts)
    at = end
  }
  const accepts = (byte: string) => members.some((member) => member(byte)) !== negated
  return { accepts, end: at + 1 }
}

function parseMember(pattern: string, at: number): Class {
  const char = pattern.charAt(at)
  if (char === '\\' && at + 1 < pattern.length) {
    return { accepts: literal(pattern.charAt(at + 1)), end: at + 2 }
  }
  if (pattern.charAt(at + 1) === '-' && at + 2 < pattern.length) {
    const [low = '', high = ''] = [char, pattern.charAt(at + 2)].sort()
    return { accepts: (byte) => byte >= low && byte <= high, end: at + 3 }
  }
  return { accepts: literal(char), end: at + 1 }
}

/**
 * Only the latest run is ever widened again: an earlier one cannot help where a later one failed.
 * The cost is at most pattern × text; a regular expression could take exponential time.
 */
function matches(steps: readonly Step[], bytes: string): boolean {
  let step = 0
  let at = 0
  let retryStep = -1
  let retryAt = 0
  while (at < bytes.length) {
    const current = steps[step]
    if (current === 'any run') {
      step += 1
      retryStep = step
      retryAt = at
    } else if (current?.(bytes.charAt(at))) {
      step += 1
      at += 1
    } else if (retryStep >= 0) {
      step = retryStep
      retryAt += 1
      at = retryAt
    } else {
      return false
    }
  }
  return steps.slice(step).every((rest) => rest === 'any run')
}
