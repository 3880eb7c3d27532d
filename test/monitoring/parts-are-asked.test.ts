import { expect, test } from 'vitest'
import { part } from '../../src/kernel/part.js'
import { startApp } from '../support/app.js'

const wrong: Record<string, string> = {}
const asked = part({
  name: 'asked',
  start: ({ check }) => {
    const look = (name: string) => () => wrong[name] ?? null
    check({ name: 'tired', severity: 'warning', look: look('tired') })
    check({ name: 'broken', severity: 'critical', look: look('broken') })
  },
})
const { client } = await startApp({ parts: [asked] })
const status = async () => {
  const { status: verdict, reasons } = await client.resource('catalyst://db/status')
  return [verdict, ...reasons]
}

test('what a part says is wrong with it is in the verdict, and no longer when it is well', async () => {
  const well = await status()
  wrong.tired = 'The asked part is tired.'
  expect(await status()).toContain('The asked part is tired.')
  expect((await status())[0]).toBe('degraded')
  wrong.broken = 'The asked part is broken.'
  expect((await status()).slice(0, 2)).toEqual(['unhealthy', 'The asked part is broken.'])
  delete wrong.tired
  delete wrong.broken
  expect(await status()).toEqual(well)
})
