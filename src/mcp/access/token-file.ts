import { createHash, randomBytes } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import { AppError } from '../../errors.js'
import { ALL_GRANTS, type Grant, isGrant } from '../../lib/grants.js'

/** What a token is good for: who bears it, what they may do, and which toolsets they are shown. */
export interface TokenRights {
  readonly name: string
  readonly grants: ReadonlySet<Grant>
  /** Null for all. */
  readonly toolsets: ReadonlySet<string> | null
}

const PREFIX = 'cdb_'
const TOOLSET = 'toolset:'
/** Of bearers: as in the audit, and in the lines of a file. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** What the file keeps of a token. SHA-256 without salt is enough: tokens are 256 bits of chance. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex')

/**
 * A new token, and the line of it for the file of `CATALYST_TOKENS`: `name:scopes:sha256`, the scopes
 * separated by commas, `toolset:NAME` among them where its bearer is to be shown only some.
 *
 * @throws AppError `invalid_input` for a name or scope that cannot be used
 */
export function newToken(name: string, scopes: readonly string[]) {
  const token = PREFIX + randomBytes(32).toString('base64url')
  const line = `${name}:${scopes.join(',')}:${hashOf(token)}`
  parseLine(line, 'the new token')
  return { token, line }
}

/** The tokens of a file, read again when it has changed. */
export class TokenFile {
  readonly #path: string
  #readAt = ''
  #tokens: ReadonlyMap<string, TokenRights> = new Map()

  /** @throws AppError `invalid_input` when the file cannot be used */
  constructor(path: string) {
    this.#path = path
    this.#refresh()
  }

  /** Whose token it is; null for nobody's. */
  find(token: string): TokenRights | null {
    this.#refresh()
    return this.#tokens.get(hashOf(token)) ?? null
  }

  /** Whether a bearer of this name is in the file. */
  has(name: string): boolean {
    this.#refresh()
    return [...this.#tokens.values()].some((token) => token.name === name)
  }

  #refresh(): void {
    try {
      const { mtimeMs, size, ino } = statSync(this.#path)
      const version = `${mtimeMs} ${size} ${ino}`
      if (version === this.#readAt) return
      this.#tokens = parseTokens(readFileSync(this.#path, 'utf8'))
      this.#readAt = version
    } catch (error) {
      // A file that is gone or spoilt lets nobody in, rather than those of before.
      this.#tokens = new Map()
      this.#readAt = ''
      if (error instanceof AppError) throw error
      throw new AppError('unavailable', 'The file of tokens (CATALYST_TOKENS) cannot be read.', {
        hint: 'Make it with "catalyst-db token create NAME --scopes db:read".',
        cause: error,
      })
    }
  }
}

/** The lines of a file; empty ones and those that begin with # are left out. */
function parseTokens(text: string): ReadonlyMap<string, TokenRights> {
  const tokens = new Map<string, TokenRights>()
  for (const [index, raw] of text.split('\n').entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#')) continue
    const { hash, ...rights } = parseLine(line, `CATALYST_TOKENS, line ${index + 1}`)
    tokens.set(hash, rights)
  }
  return tokens
}

function parseLine(line: string, where: string): TokenRights & { readonly hash: string } {
  const [name = '', ...rest] = line.split(':')
  const hash = rest.pop() ?? ''
  const words = rest
    .join(':')
    .split(/[\s,]+/)
    .filter(Boolean)
  const unknown = words.find((word) => !isGrant(word) && !word.startsWith(TOOLSET))
  const problem = !NAME.test(name)
    ? 'a name has letters, digits, ".", "_" and "-", at most 64 of them'
    : name === 'local' || name === 'cli'
      ? 'this name is the server’s own'
      : unknown !== undefined
        ? `there is no scope ${JSON.stringify(unknown.slice(0, 64))}; there are ${ALL_GRANTS.join(', ')}, and toolset:NAME`
        : words.some(isGrant)
          ? null
          : `it has no scope; there are ${ALL_GRANTS.join(', ')}`
  if (problem) throw new AppError('invalid_input', `${where}: ${problem}.`)
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new AppError(
      'invalid_input',
      `${where}: it does not end with a SHA-256 in hexadecimal.`,
      {
        hint: 'A line is name:scopes:sha256, as "catalyst-db token create" writes it.',
      },
    )
  }
  const toolsets = words.filter((word) => word.startsWith(TOOLSET))
  return {
    name,
    hash,
    grants: new Set(words.filter(isGrant)),
    toolsets:
      toolsets.length > 0 ? new Set(toolsets.map((word) => word.slice(TOOLSET.length))) : null,
  }
}
