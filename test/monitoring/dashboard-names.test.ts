import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { monitoringPolicy } from './policy.js'

const ROOT = join(import.meta.dirname, '../..')
const { url, client } = await startApp({ env: monitoringPolicy() })

test.each(['docs/grafana/catalyst-db.json', 'docs/grafana/alerts.yml'])(
  '%s uses only metrics that a server has',
  async (path) => {
    await client.tool('list_events', { limit: 1 })
    const served = await waitFor(async () => {
      const text = await (await fetch(url.replace(/\/mcp$/, '/metrics'))).text()
      return text.includes('\ncatalyst_postgresql_database_size_bytes ') && text
    })
    const names = new Set(readFileSync(join(ROOT, path), 'utf8').match(/\bcatalyst_\w+/g))
    expect(names.size).toBeGreaterThan(3)
    const types = new Set([...served.matchAll(/^# TYPE (\w+)/gm)].map(([, name]) => name))
    const missing = [...names].filter((name) => !types.has(name.replace(/_bucket$/, '')))
    expect(missing).toEqual([])
  },
)
