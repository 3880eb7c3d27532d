import { afterAll } from 'vitest'
import { Door } from '../../src/mcp/access/door.js'
import { Dispatcher } from '../../src/mcp/dispatcher.js'
import { HttpEndpoint } from '../../src/mcp/http.js'
import { Notifications } from '../../src/mcp/notifications.js'
import { Registry } from '../../src/mcp/registry.js'
import type { Serving } from '../../src/mcp/server.js'
import { createLog } from '../../src/platform/log.js'

/** Serves nothing, without a database, over the product's own HTTP stack until the test file ends; answers the URL. */
export async function startEndpoint(): Promise<string> {
  const log = createLog('silent')
  const registry = new Registry([])
  const refuse = () => Promise.reject(new Error('there is no database behind this endpoint'))
  const unitsOfWork = { run: refuse }
  const jobs = { call: refuse, start: refuse, get: refuse, cancel: refuse, find: refuse }
  const confirmations = { issue: refuse, redeem: refuse, revoke: refuse }
  const notifications = new Notifications({
    registry,
    log,
    limit: { subscriptions: 500, streams: 100 },
  })
  const serving: Serving = {
    registry,
    dispatcher: new Dispatcher({
      registry,
      unitsOfWork,
      jobs,
      confirmations,
      audit: { record: () => {}, count: () => {} },
      explain: (error) => error,
      log,
    }),
    jobs,
    notifications,
  }
  const endpoint = new HttpEndpoint({
    serving,
    log,
    door: Door.unlocked(),
    notReady: async () => null,
  })
  const url = await endpoint.listen('127.0.0.1', 0)
  afterAll(() => endpoint.close())
  return url
}
