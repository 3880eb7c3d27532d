import { expect, test } from 'vitest'
import { postmasterOf, query, ServerProcess, until, usedDataDir } from '../support/embedded.js'

test('a server that starts while the last one stops ends up with a running database', async () => {
  const dataDir = await usedDataDir()
  let last = new ServerProcess(dataDir)
  await last.joined()
  for (let round = 0; round < 8; round++) {
    const next = new ServerProcess(dataDir)
    // Even rounds race from the first instruction on, odd ones meet the stop under way.
    if (round % 2 === 1) {
      last.child.stdin?.end()
      await until(() => !postmasterOf(dataDir)?.isReady)
    }
    const [joined] = await Promise.all([next.joined(), last.release()])
    expect(await query(joined.postgres?.connectionString ?? '', 'select 1 as one')).toEqual([
      { one: 1 },
    ])
    last = next
  }
  await last.release()
  expect(postmasterOf(dataDir)).toBeNull()
})
