import { expect, inject, test } from 'vitest'
import { openApp } from '../../src/app.js'
import { loadConfig } from '../../src/config.js'
import { type Kernel, part } from '../../src/kernel/part.js'
import { createLog } from '../../src/platform/log.js'
import { sql } from '../../src/platform/postgres/sql.js'
import { createDatabase } from '../support/database.js'
import { waitFor } from '../support/wait-for.js'

/** Starts the product with these parts after its own, on a database that has nobody else. */
async function start(...parts: Parameters<typeof openApp>[2] & object) {
  const database = await createDatabase()
  const env = { DATABASE_URL: database.url, REDIS_URL: `unix://${inject('redisPath')}` }
  const connections = () =>
    database.query(
      `select application_name from pg_stat_activity
       where datname = current_database() and pid <> pg_backend_pid()`,
    )
  return { connections, app: openApp(loadConfig(env), createLog('silent'), parts) }
}

/** A part that notes its end. */
const noting = (name: string, ended: string[], more: (kernel: Kernel) => void = () => {}) =>
  part({
    name,
    start: async (kernel) => {
      await kernel.database.many(sql`select 1`)
      kernel.onClose(() => ended.push(`${name}, first`))
      kernel.onClose(() => ended.push(`${name}, second`))
      more(kernel)
      return name
    },
  })

test('what had started is ended, the last first, and no connection is left', async () => {
  const ended: string[] = []
  const fails = noting('c', ended, () => {
    throw new Error('c cannot start')
  })
  const { app, connections } = await start(noting('a', ended), noting('b', ended), fails)
  await expect(app).rejects.toThrow('c cannot start')
  expect(ended).toEqual(['c, second', 'c, first', 'b, second', 'b, first', 'a, second', 'a, first'])
  await waitFor(async () => (await connections()).length === 0)
})

test('a part whose opening fails, and one whose end fails, keep nobody else from ending', async () => {
  const ended: string[] = []
  const fails = noting('b', ended, ({ onOpen, onClose }) => {
    onOpen(() => Promise.reject(new Error('b cannot open')))
    onClose(() => Promise.reject(new Error('b cannot end')))
  })
  const { app, connections } = await start(noting('a', ended), fails, noting('c', ended))
  await expect(app).rejects.toThrow('b cannot open')
  expect(ended).toEqual(['c, second', 'c, first', 'b, second', 'b, first', 'a, second', 'a, first'])
  await waitFor(async () => (await connections()).length === 0)
})

test('a part gets the service of one that started before, and of no other', async () => {
  const a = part({ name: 'a', start: () => 'the service of a' })
  const seen: string[] = []
  const b = part({ name: 'b', start: ({ the }) => seen.push(the(a)) })
  const { app } = await start(a, b)
  await (await app).close()
  expect(seen).toEqual(['the service of a'])
  const early = await start(b, a)
  await expect(early.app).rejects.toThrow('the part a has not started yet')
})
