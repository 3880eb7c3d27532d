import type { Clock } from '../../lib/clock.js'
import { type Ref, ref } from '../../lib/refs.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import * as statements from './catalyst-outcomes.sql.js'
import { toldMove, untold } from './price-move.js'
import type { Run } from './run.js'
import { takeTurn } from './sql.js'

/** What is to be learned from. */
export interface OutcomesQuery {
  /** Only positions closed since then. */
  readonly since: string | null
  readonly batch_size: number
}

interface OutcomesDeps {
  readonly clock: Clock
  readonly learning: Policy['learning']
}

const DAY_MS = 86_400_000
const MOVES_BATCH = 200

/** What closed positions say about the stories they cite, and how prices moved after those. */
export class CatalystOutcomes {
  readonly #deps: OutcomesDeps

  constructor(deps: OutcomesDeps) {
    this.#deps = deps
  }

  /** Goes on where the last run came to, whichever way that ended. */
  async sync(query: OutcomesQuery, run: Run) {
    const learned = await this.#learn(query, run)
    await this.#tellMoves(run)
    return learned
  }

  async #learn({ since, batch_size }: OutcomesQuery, run: Run) {
    const accuracy = new Map<string, { before: boolean | null; after: boolean | null }>()
    const sources = new Set<number>()
    const { n } = await run.inTransaction((tx) => tx.one(statements.countUnlearned(since)))
    let done = 0
    for (;;) {
      const batch = await run.inTransaction(async (tx) => {
        await tx.run(takeTurn('catalyst_outcomes'))
        const learned = await tx.one(statements.learnFromPositions(since, batch_size))
        tx.touch('news', symbolsOf(learned.stories))
        tx.mention(storyRefs(learned.stories))
        tx.mention(learned.learned.map((one) => ref('position', one.position_id, one.symbol)))
        return learned
      })
      for (const { news_id, before, after } of batch.accuracy) {
        accuracy.set(news_id, { before: accuracy.get(news_id)?.before ?? before, after })
      }
      for (const id of batch.source_ids) sources.add(id)
      done += batch.positions
      run.progress(done, Math.max(n, done), 'positions learned from')
      if (batch.positions < batch_size) break
    }
    const changed = [...accuracy.values()].filter(({ before, after }) => before !== after)
    return {
      trades_processed: done,
      news_accuracy_updated: changed.length,
      source_metrics_updated: sources.size,
    }
  }

  /** Moves follow from the stored bars: those that came or were corrected since tell them again. */
  async #tellMoves(run: Run): Promise<void> {
    await run.inTransaction(async (tx) => {
      await tx.run(takeTurn('catalyst_outcomes'))
      await tx.run(statements.noteNewBars(tx.held === null))
    })
    let after: string | null = ''
    while (after !== null) {
      const from: string = after
      after = await run.inTransaction((tx) => this.#tellBatch(tx, from))
    }
  }

  /** The id to go on after, or null at the end. */
  async #tellBatch(tx: Transaction, after: string): Promise<string | null> {
    await tx.run(takeTurn('catalyst_outcomes'))
    const stories = await tx.many(statements.untoldMoves(after, MOVES_BATCH))
    const nowMs = this.#deps.clock.now().getTime()
    const waitMs = this.#deps.learning.bars_wait_days * DAY_MS
    const told = stories.flatMap((story) => {
      const move = toldMove(story, nowMs, waitMs)
      return move ?? (story.is_told ? untold(story.news_id) : [])
    })
    const stored = told.length > 0 ? await tx.many(statements.storeMoves(told)) : []
    if (stored.length > 0) {
      tx.touch('news', symbolsOf(stored))
      tx.mention(storyRefs(stored))
    }
    return stories.length === MOVES_BATCH ? (stories.at(-1)?.news_id ?? null) : null
  }
}

type Story = statements.LearnedRow['stories'][number]

const symbolsOf = (stories: readonly Story[]) => stories.map(({ symbol }) => symbol)

const storyRefs = (stories: readonly Story[]): Ref[] =>
  stories.map(({ news_id, symbol }) => ref('news', news_id, symbol))
