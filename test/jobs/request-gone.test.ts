import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const app = await startApp({ parts: [benchPart(bench)] })

const stateOf = async (label: string) => {
  const rows = await app.database.query<{ state: string }>(
    `select state from catalyst.jobs where arguments ->> 'label' = $1`,
    [label],
  )
  return rows.map(({ state }) => state)
}

const cancelledCalls = async () => {
  const [row] = await app.database.query<{ n: number }>(
    `select count(*)::int as n from catalyst.audit_log
     where tool = 'run_held' and outcome = 'cancelled'`,
  )
  return row?.n ?? 0
}

test.each(['legacy', 'modern'] as const)(
  'a cancelled request of a %s client ends only its waiting',
  async (era) => {
    const client = await app.connect(era)
    const label = `cancelled ${era}`
    const gone = new AbortController()
    const call = client.sdk.callTool(
      { name: 'run_held', arguments: { label } },
      { signal: gone.signal },
    )
    await waitFor(() => bench.isRunning(label))
    const before = await cancelledCalls()
    gone.abort()
    await expect(call).rejects.toThrow()
    await waitFor(async () => (await cancelledCalls()) > before)
    expect(bench.isRunning(label)).toBe(true)
    bench.open(label)
    await waitFor(async () => (await stateOf(label)).includes('succeeded'))
    expect(bench.stopped.has(label)).toBe(false)
  },
)

test.each(['legacy', 'modern'] as const)(
  'a dropped connection of a %s client ends only its waiting',
  async (era) => {
    const client = await app.connect(era)
    const label = `dropped ${era}`
    const call = client.sdk.callTool({ name: 'run_held', arguments: { label } })
    call.catch(() => {})
    await waitFor(() => bench.isRunning(label))
    await client.close()
    bench.open(label)
    await waitFor(async () => (await stateOf(label)).includes('succeeded'))
    expect(await stateOf(label)).toEqual(['succeeded'])
    expect(bench.startsOf(label)).toBe(1)
  },
)
