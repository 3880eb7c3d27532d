import { confirmed } from './confirm.js'
import { EXIT } from './exit.js'
import type { BaselineOptions, RepairOptions } from './migrate-options.js'
import { withMigrations } from './migrations.js'
import { print } from './print.js'
import type { Env } from './start.js'

/** Notes migrations as applied without running them. */
export const baseline = (env: Env, options: BaselineOptions): Promise<number> =>
  withMigrations(env, 'made', async (operations, call) => {
    const done = await operations.baseline(options.version, call)
    print(done, options, ({ recorded }) =>
      recorded.length > 0 ? `noted as applied: ${recorded.join(', ')}\n` : 'nothing to note\n',
    )
    return EXIT.ok
  })

/** Lists how the ledger would be brought in line with the files, and does it once confirmed. */
export const repair = (env: Env, options: RepairOptions): Promise<number> =>
  withMigrations(env, 'present', async (operations, call) => {
    const question = await operations.askRepair()
    const confirmedPlan = question ? await confirmed(question, options, 'migrate repair') : null
    const done = await operations.repair({ ...call, confirmedPlan })
    print(done, options, ({ changes }) => {
      const lines = changes.map(({ version, name, change }) => `${version}_${name}: ${change}\n`)
      return lines.length > 0 ? lines.join('') : 'nothing to repair\n'
    })
    return EXIT.ok
  })
