import type { Question } from '../../lib/confirmation.js'
import { type FileLosses, sentenceOf } from './measure/loss.js'
import type { DownPlan, Finding, PlannedMigration, RepairPlan, UpPlan } from './report.js'

/** A person reads no more names than that before the plan itself. */
const MAX_NAMES = 5

/** What has to be confirmed before the pending files are run. */
export function upQuestion(plan: UpPlan, market: string): Question {
  const { migrations, new_version, digest } = plan
  const findings = migrations.flatMap(({ version, lint }) =>
    lint
      .filter(({ severity }) => severity === 'block')
      .map((one) => ({ version, ...factsOf(one) })),
  )
  const rules = [...new Set(findings.map(({ rule }) => rule))].join(', ')
  const waits = rules === '' ? '' : ` What makes others wait: ${rules}.`
  const losses = told(plan.losses)
  return {
    message: `Apply ${namesOf(migrations)} up to version ${new_version}?${shown(losses)}${waits} ${market}`,
    plan: { new_version, migrations: migrations.map(stepOf), losses, findings, digest },
  }
}

/** What has to be confirmed before migrations are undone. */
export function downQuestion(plan: DownPlan, market: string): Question {
  const { rollbacks, current_version, digest } = plan
  const losses = told(plan.losses ?? [])
  return {
    message: `Undo ${namesOf(rollbacks)} back to version ${current_version}?${shown(losses)} ${market}`,
    plan: { current_version, rollbacks: rollbacks.map(stepOf), losses, digest },
  }
}

/** The losses as sentences, each with the version that causes it. */
const told = (losses: readonly FileLosses[]) =>
  losses.flatMap(({ version, losses: found }) =>
    found.map((loss) => ({ version, message: sentenceOf(loss) })),
  )

/** A person reads no more sentences than that before the plan itself. */
const MAX_SENTENCES = 5

function shown(losses: readonly { readonly message: string }[]): string {
  if (losses.length === 0) return ''
  const more = losses.length - MAX_SENTENCES
  const sentences = losses.slice(0, MAX_SENTENCES).map(({ message }) => message)
  return ` ${sentences.join(' ')}${more > 0 ? ` And ${more} more.` : ''}`
}

/** What has to be confirmed before rows of the ledger are changed. */
export const repairQuestion = ({ changes, digest }: RepairPlan): Question => ({
  message: `Change ${changes.length} rows of the ledger, and nothing of the schema?`,
  plan: { changes, digest },
})

/** Without the message: it may tell how big a table is just now, and the plan must be the same later. */
const factsOf = ({ rule, statement, line, lock, blocks }: Finding) => ({
  rule,
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
