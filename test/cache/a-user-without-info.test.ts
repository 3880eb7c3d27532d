import { expect, onTestFinished, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { serve } from '../support/fresh-machine.js'
import { waitFor } from '../support/wait-for.js'
import { RedisServer } from './redis-server.js'

test('a Redis whose user may not run INFO is used, and the log stays a log', async () => {
  const redis = await RedisServer.create()
  onTestFinished(() => redis.dispose())
  await redis.start()
  const limited = ['on', '>secret', '~*', '&*', '+@all', '-info']
  await redis.send((admin) => admin.acl('SETUSER', 'limited', ...limited))
  const database = await createDatabase()
  const { command, client } = await serve({
    DATABASE_URL: database.url,
    REDIS_URL: `unix://${redis.socket}?username=limited&password=secret`,
    LOG_LEVEL: 'debug',
    PORT: '0',
  })
  await client.resource('news')
  await waitFor(async () => (await client.resource('cache/stats')).status === 'ready')
  expect((await client.resource('db/status')).redis).toMatchObject({ status: 'ready' })
  const lines = command.stderr.split('\n').filter((line) => line !== '')
  expect(lines.filter((line) => !line.startsWith('{'))).toEqual([])
})
