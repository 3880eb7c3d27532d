import { HttpEndpoint } from '../mcp/http.js'
import { banner, type Env, start } from './start.js'

/** Serves Streamable HTTP until a signal; then drains, closes and exits. */
export async function serve(env: Env): Promise<never> {
  const { config, log, app, interrupted } = await start(env)
  const endpoint = new HttpEndpoint({
    serving: app.serving,
    log,
    notReady: () => app.schema.state.reason,
  })
  try {
    const url = await endpoint.listen(config.HOST, config.PORT)
    process.stdout.write(banner(app, url))
    const exitCode = await interrupted
    log.info('draining')
    await Promise.all([app.drain(), endpoint.close()])
    await app.close()
    process.exit(exitCode)
  } catch (error) {
    await app.close()
    throw error
  }
}
