import { confirmed } from './confirm.js'
import { EXIT } from './exit.js'
import type { AdoptOptions, BaselineOptions, RepairOptions } from './migrate-options.js'
import { type Operations, withMigrations } from './migrations.js'
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

/** Prints the lines that hand a schema or a table over, or runs them once confirmed. */
export const adopt = (env: Env, name: string, options: AdoptOptions): Promise<number> =>
  withMigrations(env, 'present', async (operations) => {
    const { adoption, question } = await operations.askAdopt(name)
    const isToRun = (options.run || options.yes) && adoption.lines.length > 0
    const done = isToRun
      ? await operations.adopt(
          name,
          await confirmed(question, options, `migrate adopt '${adoption.target}'`),
        )
      : adoption
    print(done, options, readableAdoption)
    return EXIT.ok
  })

function readableAdoption({ target, role, lines, stays, ran }: Adoption): string {
  const kept = stays.map(({ object, reason }) => `-- ${object} stays with its owner: ${reason}\n`)
  if (ran) return `${target} is handed over to ${role}\n${kept.join('')}`
  if (lines.length === 0)
    return `-- nothing of ${target} is still to be handed over\n${kept.join('')}`
  return `${lines.join('\n')}\n${kept.join('')}`
}

type Adoption = Awaited<ReturnType<Operations['adopt']>>
