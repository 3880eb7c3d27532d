import { AppError } from '../../errors.js'
import { type Loss, lossOf, sentenceOf } from '../../platform/postgres/measure/loss.js'
import type { Standalone } from '../../platform/sql-parser/standalone.js'

/** The losses of one file of a plan. */
export interface FileLosses {
  readonly version: number
  readonly losses: readonly Loss[]
}

/** What is gone once it has run: outside of transactions nothing can be measured and taken back. */
export function standaloneLoss(standalone: Standalone | null): Loss[] {
  switch (standalone?.kind) {
    case 'drop index':
      return [lossOf('dropped', `index ${standalone.index}`)]
    case 'detach partition':
      return [lossOf('detached', `${standalone.partition} from ${standalone.parent}`)]
    case 'vacuum': {
      if (!standalone.isFull) return []
      const tables = standalone.relations.map((name) => `table ${name}`)
      return (tables.length === 0 ? ['every table'] : tables).map((one) =>
        lossOf('written anew', one),
      )
    }
    default:
      return []
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
