import { AppError } from '../../errors.js'
import { type FileLosses, sentenceOf } from './measure/loss.js'
import type { Finding } from './report.js'
import type { ScriptTask } from './run-context.js'

/**
 * Refuses what the linter says may never run.
 *
 * @throws AppError `precondition_failed` with the first such finding
 */
export function refuseErrors(
  tasks: readonly { task: ScriptTask; lint: readonly Finding[] }[],
): void {
  for (const { task, lint } of tasks) {
    const finding = lint.find(({ severity }) => severity === 'error')
    if (!finding) continue
    const { rule, line, message, rewrite } = finding
    throw new AppError(
      'precondition_failed',
      `${task.script.file}, line ${line}: ${message} (${rule})`,
      { hint: rewrite ?? 'This is never run: take it out of the file.' },
    )
  }
}

/**
 * Refuses to run what nobody confirmed, or what is no longer what was confirmed.
 *
 * @throws AppError `confirmation_required` or `conflict`
 */
export function refuseUnconfirmed(
  plan: { readonly digest: string; readonly destructive: boolean },
  confirmed: string | null,
): void {
  if (confirmed === null && plan.destructive) {
    throw new AppError('confirmation_required', 'This plan loses data or locks what is in use.', {
      hint: 'Look at its findings, then confirm it; "catalyst-db migrate" does so with --yes.',
    })
  }
  if (confirmed !== null && confirmed !== plan.digest) {
    throw new AppError('conflict', 'What would run changed since it was confirmed; nothing ran.', {
      hint: 'Ask for the plan again and confirm that.',
    })
  }
}

/** Sentences of an error; the plan has them all. */
const MAX_SHOWN = 10

/** What was rolled back because nobody had confirmed what it loses. */
export function unconfirmed(losses: readonly FileLosses[], done: readonly number[]): AppError {
  const sentences = losses.flatMap((one) => one.losses.map(sentenceOf))
  const more = sentences.length > MAX_SHOWN ? ` And ${sentences.length - MAX_SHOWN} more.` : ''
  const stays = done.length > 0 ? ` Done before it, and kept: ${done.join(', ')}.` : ''
  const shown = sentences.slice(0, MAX_SHOWN).join(' ')
  return new AppError('confirmation_required', `It was rolled back: ${shown}${more}${stays}`, {
    hint: 'Do the same again: it then asks for exactly that.',
  })
}

/** The name of our schema is taken. */
export const foreignSchema = (): AppError =>
  new AppError(
    'unavailable',
    'The schema "catalyst" of this database belongs to something else: it holds objects and no ledger of catalyst-db. Nothing is written into it.',
    {
      hint: 'Give catalyst-db a database of its own, or rename that schema: alter schema catalyst rename to <name>;',
      retryable: false,
    },
  )
