import { expect, onTestFinished, test } from 'vitest'
import { startApp } from '../support/app.js'
import { createDatabase } from '../support/database.js'
import { story, uniqueHeadline } from './support.js'

/** Whether a database may have a locale of ICU; PostgreSQL 14 gives it to single columns only. */
async function knowsIcuDatabases(): Promise<boolean> {
  const any = await createDatabase()
  const found = await any.query(
    `select 1 from pg_attribute
     where attrelid = 'pg_database'::regclass and attname = 'datlocprovider'`,
  )
  await any.drop()
  return found.length > 0
}

test.runIf(await knowsIcuDatabases())(
  'names of sources are folded the same under a Turkish collation',
  async () => {
    // A locale whose lower case of I is a dotless i.
    const database = await createDatabase({
      empty: true,
      options: "locale_provider icu icu_locale 'tr-TR'",
    })
    const { client, close } = await startApp({ database })
    onTestFinished(async () => {
      await close()
      await database.drop()
    })
    const [row] = await database.query("select lower('I') as folded")
    expect(row?.folded).toBe('ı')
    const headline = uniqueHeadline()
    const ids = new Set<string>()
    for (const source of ['Associated Press', 'ASSOCIATED PRESS', 'AP', 'the associated press']) {
      const answer = await client.tool('persist_news_catalyst', story({ headline, source }))
      expect(answer.score_components.tier_weight).toBe(1)
      ids.add(answer.news_id)
    }
    expect(ids.size).toBe(1)
    const own = await client.tool('persist_news_catalyst', story({ headline, source: 'CITI Wire' }))
    const again = await client.tool(
      'persist_news_catalyst',
      story({ headline, source: 'citi wire' }),
    )
    expect(again).toMatchObject({ duplicate: true, news_id: own.news_id })
    const { sources } = await client.resource(
      'catalyst://news/sources?source=ZACKS%20INVESTMENT%20RESEARCH',
    )
    expect(sources).toHaveLength(1)
  },
)
