import { setTimeout as sleep } from 'node:timers/promises'
import { serveOnStdio } from '../mcp/stdio.js'
import { EXIT } from './exit.js'
import { banner, type Env, start } from './start.js'
import { tell } from './terminal.js'

/** Work that is at hand when the client sends nothing more is finished; what waits for events is let go. */
const AT_HAND_MS = 1_000

/** Speaks MCP on stdin and stdout until the client leaves or a signal comes. */
export async function stdio(env: Env): Promise<number> {
  const { log, app, interrupted } = await start(env)
  tell(banner(app, 'stdio'))
  const endpoint = serveOnStdio(app.serving, log)
  const { ended, gone } = endpoint
  const isOver = Promise.race([interrupted, gone])
  const exitCode = await Promise.race([interrupted, gone.then(() => EXIT.ok), ended])
  // Who only sends nothing more may still read: what was asked is answered.
  if (exitCode === undefined) await Promise.race([isOver, endpoint.answered(), sleep(AT_HAND_MS)])
  // Who is still there gets the answers of calls that end now; who is gone takes their calls along.
  if (exitCode === EXIT.ok) await endpoint.close()
  await app.drain()
  if (exitCode === undefined) await Promise.race([isOver, endpoint.answered(), sleep(AT_HAND_MS)])
  await endpoint.close()
  await app.close()
  return exitCode ?? EXIT.ok
}
