import fc from 'fast-check'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { story, uniqueHeadline, uniqueSymbol } from './support.js'

const { client, database } = await startApp()

const HOSTILE = [
  `Robert'); drop table catalyst.news_articles; --`,
  'tab\there, newline\nhere, return\rhere, backslash \\ and \\N and \\. end',
  '{"json": "yes"}, {array,"literal"}, NULL',
  '<script>alert(1)</script> $\u007bjndi:ldap://x} $1 $$',
  '\u202eright to left\u202c and e\u0301 and 👩‍👩‍👧 and ﷺ',
  '\\.',
  'constructor __proto__ toString hasOwnProperty valueOf prototype',
]
const keywords = ['quote"d', "apo'strophe", 'back\\slash', 'null', '{}', 'a,b', 'tab\there']

const stored = (newsIds: string[]) =>
  database.query(
    `select headline, snippet, keywords from catalyst.news_articles
     where news_id = any ($1) order by headline collate "C"`,
    [newsIds],
  )

// The one goes through a JSON parameter, the other through COPY with its own escapes.
test.each([
  ['a small batch', 0],
  ['a batch large enough for COPY', 2_500],
])('%s stores hostile text as it came', async (_, more) => {
  const mark = uniqueHeadline()
  const headlines = HOSTILE.map((text) => `${text} ${mark}`)
  const articles = headlines.map((headline) =>
    story({
      headline,
      snippet: headline,
      catalyst_indicators: { ...story().catalyst_indicators, keywords },
    }),
  )
  const filler = Array.from({ length: more }, () =>
    story({ headline: uniqueHeadline(), symbol: uniqueSymbol() }),
  )
  await client.tool('persist_news_batch', { articles: filler.concat(articles), deduplicate: true })
  const known = await client.tool('persist_news_batch', { articles, deduplicate: true })
  expect(known).toMatchObject({ new_articles: 0, duplicates: HOSTILE.length })
  const rows = await stored(Object.keys(known.catalyst_scores))
  const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))
  expect(rows).toEqual(
    [...headlines].sort(bytes).map((headline) => ({ headline, snippet: headline, keywords })),
  )
})

test('any well-formed headline is stored as it came, or refused', async () => {
  const texts = fc.string({ unit: 'binary', minLength: 1, maxLength: 200 })
  await fc.assert(
    fc.asyncProperty(texts, async (text) => {
      const headline = `${text} ${uniqueHeadline()}`
      const args = { articles: [story({ headline })], deduplicate: true }
      const answer = await client.tool('persist_news_batch', args)
      if (answer.rejected === 1) return
      const [row] = await stored(Object.keys(answer.catalyst_scores))
      expect(row?.headline).toBe(headline)
    }),
    { numRuns: 50 },
  )
})
