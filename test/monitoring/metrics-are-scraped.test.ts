import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const { client, url } = await startApp({ env: monitoringPolicy() })
const scrape = async () => {
  const answer = await fetch(url.replace(/\/mcp$/, '/metrics'))
  return { type: answer.headers.get('content-type'), text: await answer.text() }
}
const figureOf = (text: string, name: string) =>
  Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.split(' ')[1],
  )

test('the metrics are in the text format, with units in their names, also of calls before the first scrape', async () => {
  await client.tool('persist_news_catalyst', article())
  const { text, type } = await waitFor(async () => {
    const scraped = await scrape()
    return figureOf(scraped.text, 'catalyst_postgresql_connections') > 0 && scraped
  })
  expect(type).toMatch(/^text\/plain; version=0\.0\.4/)
  expect(figureOf(text, 'catalyst_postgresql_up')).toBe(1)
  expect(
    figureOf(text, 'catalyst_tool_calls_total{tool="persist_news_catalyst",outcome="ok"}'),
  ).toBe(1)
  for (const line of text.split('\n')) {
    expect(line === '' || /^(# (HELP|TYPE) )?catalyst_/.test(line), line).toBe(true)
  }
  expect(text).toMatch(/catalyst_process_cpu_seconds_total/)
  expect(text).toMatch(/catalyst_nodejs_eventloop_lag_seconds/)
  // What is not known is not there.
  expect(text).not.toMatch(/^catalyst_backup_rpo_seconds \d/m)
})

test('a name that a caller made up is no label', async () => {
  await client.sdk.callTool({ name: 'drop_everything', arguments: {} }).catch(() => {})
  const { text } = await scrape()
  expect(text).not.toContain('drop_everything')
  expect(figureOf(text, 'catalyst_tool_calls_total{tool="unknown",outcome="not_found"}')).toBe(1)
})
