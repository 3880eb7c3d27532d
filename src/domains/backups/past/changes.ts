import { AppError } from '../../../errors.js'
import { instantOf, microsecondsOf } from '../../../lib/microseconds.js'
import { cursorOf, type PageKey } from '../../../lib/page.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import type { Source } from '../restore/load.js'
import { fieldsOf, KeyMatcher, type RowKey } from './key.js'
import { baseFor, changesOf, segmentsTo, type TableChange, type TableName } from './log-of-table.js'

export interface ChangesQuery {
  readonly table: TableName
  readonly key?: RowKey | undefined
  readonly from: string
  readonly to: string
  readonly limit: number
  readonly cursor?: PageKey | undefined
}

/**
 * What was done to a table, or to one row of it, between two instants.
 *
 * @throws AppError `precondition_failed` outside of what is kept
 */
export async function changesBetween(
  source: Source,
  { table, key, from, to, limit, cursor }: ChangesQuery,
) {
  const [fromUs, untilUs] = [microsecondsOf(from), microsecondsOf(to)]
  if (fromUs > untilUs) throw turnedRound()
  const base = await baseFor(source, fromUs)
  const segments = await segmentsTo(source.archive, base.full, untilUs)
  const after = cursor ? { lsn: BigInt(cursor[0] ?? '0'), number: Number(cursor[1]) } : null
  const matchers = new Map<unknown, KeyMatcher>()
  const changes: ReturnType<typeof shown>[] = []
  const identities = new Set<string>()
  let last: { readonly lsn: bigint; readonly number: number } | null = null
  let next_cursor: string | null = null
  for await (const change of changesOf(source, table, { base, segments, untilUs, fromUs })) {
    const number: number = last?.lsn === change.lsn ? last.number + 1 : 0
    last = { lsn: change.lsn, number }
    if (change.us < fromUs || (after && isUpTo(last, after))) continue
    if (key && !concerns(change, matchers, key)) continue
    identities.add(change.relation.identity)
    if (changes.length === limit) {
      const end = changes.at(-1)
      next_cursor = end ? cursorOf([end.place.lsn.toString(), String(end.place.number)]) : null
      break
    }
    changes.push(shown(change, last))
  }
  return {
    changes: changes.map(({ place: _, ...change }) => change),
    note: noteOf(identities),
    next_cursor,
  }
}

interface Place {
  readonly lsn: bigint
  readonly number: number
}

const isUpTo = (one: Place, other: Place): boolean =>
  one.lsn < other.lsn || (one.lsn === other.lsn && one.number <= other.number)

function concerns(
  { relation, message }: TableChange,
  matchers: Map<unknown, KeyMatcher>,
  key: RowKey,
): boolean {
  if (message.kind === 'truncate') return true
  const matcher = matchers.get(relation) ?? new KeyMatcher(relation, key)
  matchers.set(relation, matcher)
  if (message.kind !== 'delete' && matcher.matches(message.new)) return true
  return message.kind !== 'insert' && message.old !== null && matcher.matches(message.old.row)
}

function shown({ relation, message, lsn, us, xid }: TableChange, place: Place) {
  const old =
    message.kind === 'update' || message.kind === 'delete'
      ? message.old &&
        fieldsOf(relation, message.old.row, ({ isKey }) => message.old?.has === 'all' || isKey)
      : null
  const now =
    message.kind === 'insert' || message.kind === 'update' ? fieldsOf(relation, message.new) : null
  const told = now ?? old
  const keys = relation.columns.filter(({ isKey }) => isKey).map(({ name }) => name)
  return {
    place,
    lsn: formatLsn(lsn),
    committed_at: instantOf(us),
    operation: message.kind,
    key: told
      ? Object.fromEntries(
          keys.flatMap((name) => (name in told ? [[name, told[name] ?? null]] : [])),
        )
      : null,
    old,
    new: now,
    transaction_id: String(xid),
  }
}

/** What of the old rows the log can tell. */
function noteOf(identities: ReadonlySet<string>): string | null {
  const isPartial = [...identities].some((identity) => identity !== 'full')
  return isPartial
    ? 'The replica identity of the table is its key: of an old row the log tells the key, where it changed or the row was deleted. With "alter table … replica identity full" it tells all of it from then on.'
    : null
}

const turnedRound = (): AppError =>
  new AppError('invalid_input', 'from: is later than to.', {
    hint: 'Give the earlier one as from.',
  })
