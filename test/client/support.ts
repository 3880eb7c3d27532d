import { inject } from 'vitest'
import { MCPSession } from '../../src/client/index.js'
import { createDatabase } from '../support/database.js'
import { ServedProcess } from '../support/served.js'

/** The built program over a database of its own. */
export async function servedProduct() {
  const database = await createDatabase()
  const env = {
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${inject('redisPath')}`,
    LOG_LEVEL: 'silent',
  }
  return { database, env, served: await ServedProcess.start(env) }
}

/** A session that ends with what uses it. */
export async function withSession<T>(
  url: string,
  use: (session: MCPSession) => Promise<T>,
): Promise<T> {
  await using session = await MCPSession.open('test', { url })
  return await use(session)
}
