import type { Question } from '../../lib/confirmation.js'
import type { DownPlan, Finding, PlannedMigration, RepairPlan, UpPlan } from './report.js'

/** A person reads no more names than that before the plan itself. */
const MAX_NAMES = 5

/** What has to be confirmed before the pending files are run. */
export function upQuestion(plan: UpPlan, market: string): Question {
  const { migrations, new_version, digest } = plan
  const findings = migrations.flatMap(({ version, lint }) =>
    lint.filter(needsConfirmation).map((finding) => ({ version, ...factsOf(finding) })),
  )
  const rules = [...new Set(findings.map(({ rule }) => rule))].join(', ')
  return {
    message: `Apply ${namesOf(migrations)} up to version ${new_version}? What loses data or makes others wait: ${rules}. ${market}`,
    plan: { new_version, migrations: migrations.map(stepOf), findings, digest },
  }
}

/** What has to be confirmed before migrations are undone. */
export function downQuestion(plan: DownPlan, market: string): Question {
  const { rollbacks, current_version, digest } = plan
  return {
    message: `Undo ${namesOf(rollbacks)} back to version ${current_version}? What they added is lost, with the data in it. ${market}`,
    plan: { current_version, rollbacks: rollbacks.map(stepOf), digest },
  }
}

/** What has to be confirmed before rows of the ledger are changed. */
export const repairQuestion = ({ changes, digest }: RepairPlan): Question => ({
  message: `Change ${changes.length} rows of the ledger, and nothing of the schema?`,
  plan: { changes, digest },
})

const needsConfirmation = ({ severity, destructive }: Finding): boolean =>
  destructive || severity === 'block'

/** Without the message: it may tell how big a table is just now, and the plan must be the same later. */
const factsOf = ({ rule, destructive, statement, line, lock, blocks }: Finding) => ({
  rule,
  destructive,
  statement,
  line,
  lock,
  blocks,
})

const stepOf = ({ version, name, statements }: PlannedMigration) => ({ version, name, statements })

function namesOf(migrations: readonly PlannedMigration[]): string {
  const names = migrations.map(({ version, name }) => `${version}_${name}`)
  const more = names.length - MAX_NAMES
  const shown = names.slice(0, MAX_NAMES).join(', ')
  const count = names.length === 1 ? '1 migration' : `${names.length} migrations`
  return `${count} (${shown}${more > 0 ? ` and ${more} more` : ''})`
}
