import { appendFileSync } from 'node:fs'
import { newToken } from '../mcp/access/token-file.js'
import { EXIT } from './exit.js'
import { type Env, readConfig } from './start.js'
import { tell, write } from './terminal.js'

/** What `token create` takes. */
export interface TokenOptions {
  readonly scopes: string
  readonly json?: boolean
}

/** Makes a token, prints it this once, and adds its line to the file of `CATALYST_TOKENS` if that is set. */
export function createToken(name: string, options: TokenOptions, env: Env): number {
  const { CATALYST_TOKENS: file = null } = readConfig(env)
  const { token, line } = newToken(name, options.scopes.split(/[\s,]+/).filter(Boolean))
  if (file !== null) appendFileSync(file, `${line}\n`, { mode: 0o600 })
  if (options.json) {
    write(`${JSON.stringify({ name, token, line, file })}\n`)
    return EXIT.ok
  }
  write(`${token}\n`)
  tell(
    file === null
      ? `It is shown only now. Add this line to the file of CATALYST_TOKENS:\n${line}\n`
      : `It is shown only now. Its line was added to ${file}.\n`,
  )
  return EXIT.ok
}
