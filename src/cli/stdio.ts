import { serveOnStdio } from '../mcp/stdio.js'
import { EXIT } from './exit.js'
import { banner, type Env, start } from './start.js'
import { tell } from './terminal.js'

/** Speaks MCP on stdin and stdout until the client leaves or a signal comes. */
export async function stdio(env: Env): Promise<number> {
  const { log, app, interrupted } = await start(env)
  tell(banner(app, 'stdio'))
  const endpoint = serveOnStdio(app.serving, log)
  const exitCode = await Promise.race([interrupted, endpoint.closed.then(() => EXIT.ok)])
  // Who is still there gets the answers of calls that end now; who is gone takes their calls along.
  if (exitCode === EXIT.ok) await endpoint.close()
  await app.drain()
  await endpoint.close()
  await app.close()
  return exitCode
}
