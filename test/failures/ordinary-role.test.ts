import { randomBytes } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { createDatabase } from '../support/database.js'
import { FaultProxy } from '../support/fault-proxy.js'
import { article } from '../support/news.js'
import { serve } from './serving.js'

test('a role without any special right learns the fate of a commit whose answer was lost', async () => {
  const database = await createDatabase({ empty: true })
  const role = `ordinary_${randomBytes(4).toString('hex')}`
  await database.query(`create role ${role} login`)
  await database.query(`grant ${role} to current_user`)
  await database.query(`grant create on database ${database.name} to ${role}`)
  onTestFinished(async () => {
    await database.query(`drop owned by ${role}`)
    await database.query(`drop role ${role}`)
    await database.drop()
  })
  const proxy = await FaultProxy.forThisTest(database.url)
  const url = proxy.url(database.name).replace('catalyst_owner@', `${role}@`)
  const client = await (await serve(url)).connect()
  await client.tool('persist_news_catalyst', article())
  // The audit commits as well: several answers are lost, so that the call's is among them.
  proxy.set({ at: ({ sinceCommit }) => sinceCommit === 2, deliver: false, how: 'reset', times: 4 })
  const answer = await client.tool('persist_news_catalyst', article())
  expect(answer.duplicate).toBe(false)
  const rows = await database.query('select 1 from catalyst.news_articles')
  expect(rows).toHaveLength(2)
})
