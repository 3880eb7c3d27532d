import { expect, inject, test } from 'vitest'
import { runCommand } from '../support/cli.js'
import { createDatabase } from '../support/database.js'
import { runPatiently } from '../support/health.js'
import { article } from '../support/news.js'
import { serve } from './serving.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }
const database = await createDatabase()
const urlOf = (name: string) => database.url.replace(database.name, encodeURIComponent(name))
const namedBy = (text: string) =>
  `${database.url.replace(`/${database.name}`, '/')}&dbname=${encodeURIComponent(text)}`

const connected = `
  select pid from pg_stat_activity where datname = $1 and application_name = 'catalyst-db'`
/** Names that a URL has to encode, or that mean something to SQL or to a URL. */
const NAMES = ['market 100%', 'börse/ä?#&=+', `o'brien "q" @:;`, '%41', 'Ünïcode 数据']

test.each(NAMES)('a database called %s is the one that is used', async (name) => {
  const quoted = `"${name.replaceAll('"', '""')}"`
  await database.query(`create database ${quoted} template template0`)
  const ways = [urlOf(name), namedBy(name)]
  for (const [index, url] of ways.entries()) {
    const served = await serve(url)
    const client = await served.connect()
    const { news_id } = await client.tool('persist_news_catalyst', article())
    expect(await client.resource(`news/${news_id}`)).toMatchObject({ news_id })
    expect((await client.resource('db/status')).postgresql).toMatchObject({ status: 'up' })
    expect(await database.query(connected, [name])).not.toEqual([])
    await served.close()
    const table = await runPatiently(['status'], { DATABASE_URL: url, ...redis })
    expect(table.code, `way ${index}`).toBe(0)
  }
  await database.query(`drop database ${quoted} with (force)`)
})

test.each([
  ['sslmode=required', /sslmode .* none of disable, allow, prefer, require/],
  ['sslmode=VERIFY-FULL', /sslmode .* none of/],
  ['sslmode=', /sslmode .* none of/],
  ['sslmode=disable&sslrootcert=system', /needs sslmode=verify-full/],
  ['sslmode=verify-full&sslrootcert=/nowhere/ca.pem', /certificate or key file .* cannot be read/],
  ['sslmode=verify-full&sslcert=/nowhere/c.pem&sslkey=/nowhere/c.key', /cannot be read/],
])('%s is refused by name before anything is tried', async (parameters, reason) => {
  const url = `postgresql://trader:hunter2@127.0.0.1:1/market?${parameters}`
  for (const args of [['status'], ['doctor'], ['serve']]) {
    const { code, stdout, stderr } = await runCommand(args, { DATABASE_URL: url, ...redis })
    expect(stderr).toMatch(reason)
    expect(stderr).toContain('DATABASE_URL')
    expect(stdout + stderr).not.toMatch(/hunter2|\n\s+at /)
    expect([2, 3]).toContain(code)
  }
})

test('a % in a database name that encodes nothing is refused with how to write it', async () => {
  const url = `postgresql://trader@127.0.0.1:1/market100%`
  const { code, stderr } = await runCommand(['status'], { DATABASE_URL: url, ...redis })
  expect(stderr).toMatch(/write it as %25/)
  expect([2, 3]).toContain(code)
})
