import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import type { TestApp } from '../../support/app.js'
import { ATTACKS } from './attacks.js'
import { Attacker, WORLD, witness } from './world.js'

/** Every so many attempts a dry run comes before the run. */
const DRY_EVERY = 2
/** Of all attempts the quick edition makes every third. */
const EVERY = process.env.CATALYST_TEST_LONG === '1' ? 1 : 3
/** Attempts of one test: enough for its name to tell where it is. */
const GROUP = 20

/** Makes every attempt on one database, and looks after each whether anything was lost or reached. */
export async function tryAll(app: TestApp, folder: string, superuserUrl: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: superuserUrl, max: 1 })
  pool.on('error', () => {})
  afterAll(() => pool.end())
  const query = async (text: string) => {
    const answer = await pool.query(text)
    return Array.isArray(answer) ? [] : answer.rows
  }
  await query(WORLD)
  const before = await witness(query)
  const attacker = new Attacker(app.client, folder)
  const attacks = ATTACKS.filter((_, at) => at % EVERY === 0)
  for (let first = 0; first < attacks.length; first += GROUP) {
    const group = attacks.slice(first, first + GROUP)
    test(`attempts ${first + 1} to ${first + group.length} lose and reach nothing`, async () => {
      for (const [at, { name, files }] of group.entries()) {
        const outcomes: string[] = []
        for (const file of files) {
          outcomes.push(
            `${await attacker.run(file, { dry: at % DRY_EVERY === 0 })} ${attacker.said}`,
          )
        }
        const after = await witness(query).catch((error: Error) => ({ error: error.message }))
        expect.soft(after, `${name}: ${outcomes.join(' / ')}`).toEqual(before)
      }
    }, 600_000)
  }
}
