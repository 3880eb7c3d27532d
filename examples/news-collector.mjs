/**
 * A news collector: stores every headline of a feed once, whatever happens on the way.
 *
 *     node examples/news-collector.mjs http://127.0.0.1:8642/mcp feed.jsonl
 *
 * Each line of the file is one article as `persist_news_batch` takes it. A batch whose answer is lost is
 * sent again with the same key, so that nothing is lost and nothing is stored twice.
 */
import { readFileSync } from 'node:fs'
import { MCPSession } from 'catalyst-db/client'

const [url, file] = process.argv.slice(2)
const articles = readFileSync(file, 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line))

const session = await MCPSession.open('news-collector', { url })
try {
  for (let from = 0; from < articles.length; from += 1000) {
    const batch = articles.slice(from, from + 1000)
    const stored = await session.tool('persist_news_batch', { articles: batch })
    console.log(
      `${stored.new_articles} new, ${stored.duplicates} known, ${stored.rejected} refused`,
    )
    for (const { index, message } of stored.errors)
      console.log(`line ${from + index + 1}: ${message}`)
  }
} finally {
  await session.close()
}
