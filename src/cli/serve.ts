import { AppError } from '../errors.js'
import { openDoor } from '../mcp/access/open-door.js'
import { HttpEndpoint } from '../mcp/http.js'
import { ConfigurationError } from './exit.js'
import { banner, type Env, readConfig, start } from './start.js'
import { write } from './terminal.js'

/** Serves Streamable HTTP until a signal; then drains, closes and exits. */
export async function serve(env: Env): Promise<number> {
  const door = await openDoor(readConfig(env)).catch((error: unknown) => {
    throw new ConfigurationError(error instanceof AppError ? describe(error) : String(error))
  })
  const { config, log, app, interrupted } = await start(env)
  const endpoint = new HttpEndpoint({
    serving: app.serving,
    door,
    log,
    notReady: app.notReady,
    metrics: app.metrics,
  })
  try {
    const url = await endpoint.listen(config.HOST, config.PORT)
    write(banner(app, url))
    const exitCode = await interrupted
    log.info('draining')
    await Promise.all([app.drain(), endpoint.close()])
    await app.close()
    return exitCode
  } catch (error) {
    await app.close()
    throw error
  }
}

const describe = ({ message, hint }: AppError): string => (hint ? `${message}\n${hint}` : message)
