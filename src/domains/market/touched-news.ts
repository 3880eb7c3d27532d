import { ref } from '../../lib/refs.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import type { Changed } from './cluster-store.js'
import * as newsSql from './news.sql.js'
import type { Fate } from './news-repeats.js'
import { isAboutAnother } from './news-rows.js'

/**
 * Notes which stories change, and whose news articles: that of a new or repeated story, and of one sent again for another
 * company both its own and the other. Clusters and confirmations stay within a company.
 */
export async function touchNews(tx: Transaction, fates: readonly Fate[]): Promise<void> {
  const changes = fates.filter((fate) => fate.kind !== 'same' || isSentForAnother(fate))
  if (changes.length === 0) return
  const symbols = await symbolsById(tx, changes)
  const symbolOf = ({ security_id }: Fate['story']): string | null =>
    security_id === null ? null : (symbols.get(security_id) ?? null)
  tx.mention(changes.map(({ story }) => ref('news', story.news_id, symbolOf(story))))
  const touched = changes.flatMap(({ story, located }) => {
    const own = symbolOf(story)
    return isSentForAnother({ story, located }) ? [own, located.article.symbol] : [own]
  })
  tx.touch('news', touched)
  tx.touch('sentiment', touched)
}

/** Names stories that new ones of the same companies have changed. */
export function mentionChanged(
  tx: Transaction,
  changed: readonly Changed[],
  symbols: ReadonlyMap<number, string>,
): void {
  tx.mention(
    changed.map(({ news_id, security_id }) =>
      ref('news', news_id, symbols.get(security_id) ?? null),
    ),
  )
}

/** The companies that a call names. */
export function symbolsNamed(fates: readonly Fate[]): Map<number, string> {
  const symbols = new Map<number, string>()
  for (const { located } of fates) {
    const { security_id, article } = located
    if (security_id !== null && article.symbol !== null) symbols.set(security_id, article.symbol)
  }
  return symbols
}

const isSentForAnother = ({ story, located }: Pick<Fate, 'story' | 'located'>): boolean =>
  isAboutAnother(story, located.security_id)

/** Stored stories may be about companies that the call does not name: only those are looked up. */
async function symbolsById(tx: Transaction, fates: readonly Fate[]): Promise<Map<number, string>> {
  const symbols = symbolsNamed(fates)
  const unnamed = new Set(fates.flatMap(({ story }) => story.security_id ?? []))
  for (const id of symbols.keys()) unnamed.delete(id)
  if (unnamed.size === 0) return symbols
  const found = await tx.many(newsSql.symbolsOf([...unnamed]))
  for (const { security_id, symbol } of found) symbols.set(security_id, symbol)
  return symbols
}
