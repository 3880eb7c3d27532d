import type { Database } from '../../platform/postgres/database.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import * as newsSql from './news.sql.js'
import type { PreparedArticle } from './news-article.js'
import { lockKeys } from './news-locks.js'
import { type Located, storyHash } from './story.js'

/** Opens short transactions beside one that a client holds open. */
export type Beside = Pick<Database, 'transaction'>

interface Names {
  readonly sources: readonly string[]
  readonly symbols: readonly string[]
}

const NO_LOCKS: newsSql.LockKeys = { classes: [], keys: [] }

/**
 * Finds or creates the source and the security of each article. A transaction that commits right
 * after takes the locks here; one that a client holds open takes them when it commits.
 */
export async function locate(
  tx: Transaction,
  articles: readonly PreparedArticle[],
  beside: Beside,
): Promise<Located[]> {
  const names = {
    sources: [...new Set(articles.map(({ source }) => source))],
    symbols: [...new Set(articles.flatMap(({ symbol }) => symbol ?? []))],
  }
  const found = await resolveNames(tx, names, beside, lockKeys(articles))
  const named = (kind: string) =>
    new Map(found.filter((row) => row.kind === kind).map((row) => [row.name, row]))
  const [sources, securities] = [named('source'), named('security')]
  return articles.map((article) => {
    const source = sources.get(article.source)
    if (!source || source.id === null || source.tier === null) {
      throw new Error('a source was neither found nor created')
    }
    return {
      article,
      source_id: source.id,
      source_tier: source.tier,
      security_id: (article.symbol !== null && securities.get(article.symbol)?.id) || null,
      story_hash: storyHash(source.id, article.norm_hash),
    }
  })
}

/** Finds or registers names. Locks are taken only where the transaction commits right after. */
export const resolveNames = (
  tx: Transaction,
  names: Names,
  beside: Beside,
  locks: newsSql.LockKeys = NO_LOCKS,
): Promise<newsSql.NameRow[]> =>
  tx.held ? resolveHeld(tx, names, beside) : resolve(tx, names, locks)

/** Looks names up and registers none: `id` is null for one that nobody has stored. */
export const findNames = (db: Queryable, { sources, symbols }: Names): Promise<newsSql.NameRow[]> =>
  db.many(newsSql.lockAndResolve(NO_LOCKS, sources, symbols))

async function resolve(
  tx: Transaction,
  names: Names,
  locks: newsSql.LockKeys,
): Promise<newsSql.NameRow[]> {
  const found = await tx.many(newsSql.lockAndResolve(locks, names.sources, names.symbols))
  const unknown = found.filter(isUnknown)
  if (unknown.length === 0) return found
  const named = (kind: string) => unknown.filter((row) => row.kind === kind).map(({ name }) => name)
  await tx.run(newsSql.addNames(named('source'), named('security')))
  return tx.many(newsSql.lockAndResolve(NO_LOCKS, names.sources, names.symbols))
}

/**
 * New names are registered beside the transaction, or everybody else who uses one would wait until
 * it ends. A transaction with one snapshot for all its statements would never see them, and conflict
 * with itself: it adds them itself, and who uses one before it ends waits.
 */
async function resolveHeld(
  tx: Transaction,
  names: Names,
  beside: Beside,
): Promise<newsSql.NameRow[]> {
  const { transaction_isolation } = await tx.one(newsSql.isolation())
  if (transaction_isolation === 'read committed') {
    const found = await tx.many(newsSql.lockAndResolve(NO_LOCKS, names.sources, names.symbols))
    if (!found.some(isUnknown)) return found
    await beside.transaction((own) => resolve(own, names, NO_LOCKS), { signal: tx.signal })
  }
  return resolve(tx, names, NO_LOCKS)
}

const isUnknown = ({ id }: newsSql.NameRow): boolean => id === null
