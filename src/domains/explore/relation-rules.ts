import { SECRETS } from '../../platform/postgres/reader/reader.sql.js'
import type { ReaderSession } from '../../platform/postgres/reader/reader-session.js'
import { Refusal } from '../../platform/sql-parser/read-only/refusal.js'
import { shownName } from '../../platform/sql-parser/read-only/uses.js'
import { type Behind, type ReachedRelation, signatures } from './catalog.sql.js'
import { isFoldable } from './foldable.js'

/** Tables, partitioned ones, views, materialised ones, sequences. */
const READABLE_KINDS = ['r', 'p', 'v', 'm', 'S']

/** Of PostgreSQL itself: passwords, samples of everybody's rows, where subscriptions lead, large objects. */
const SECRET_CATALOGS = [
  ...[
    'pg_authid',
    'pg_shadow',
    'pg_user_mapping',
    'pg_user_mappings',
    'pg_statistic',
    'pg_subscription',
  ],
  ...['pg_statistic_ext_data', 'pg_largeobject', 'pg_largeobject_metadata', 'pg_db_role_setting'],
  ...['pg_foreign_server', 'pg_foreign_table', 'pg_foreign_data_wrapper'],
]

/**
 * Refuses relations that are no business of queries.
 *
 * @throws Refusal
 */
export function judgeRelations(relations: Behind['relations']): void {
  for (const relation of relations) judgeRelation(relation)
}

/**
 * Refuses code that stands behind relations and types and calls what queries may not.
 *
 * @param policy further functions, by their signatures
 * @throws Refusal
 */
export async function judgeCode(
  session: ReaderSession,
  code: Behind['code'],
  allowed: ReadonlySet<number>,
  policy: readonly string[],
): Promise<void> {
  const open = code.filter(
    ({ oid, tree }) => !allowed.has(oid) && (tree === null || isFoldable(tree, oid)),
  )
  if (open.length === 0) return
  const known = await session.many(signatures(open.map(({ oid }) => oid)))
  for (const { where, oid } of open) {
    const what = known.find((one) => one.oid === oid)?.signature ?? 'something unknown'
    if (policy.includes(what)) continue
    throw new Refusal(
      'code_behind',
      `${where} calls ${what}, which is not among the functions that queries may call`,
      `Read the tables themselves, or let an operator add "${what}" to query.allow_functions of the policy file.`,
    )
  }
}

function judgeRelation({ schema, name, kind }: ReachedRelation): void {
  const shown = shownName([schema, name])
  if (schema === 'pg_catalog' && SECRET_CATALOGS.includes(name)) throw secret(shown)
  if (schema === 'catalyst' && SECRETS.includes(name)) throw secret(shown)
  if (schema === 'pg_toast' || /^pg_(toast_)?temp/.test(schema)) throw secret(shown)
  if (READABLE_KINDS.includes(kind)) return
  throw new Refusal(
    'relation',
    kind === 'f'
      ? `${shown} is a foreign table: reading it reaches another server, a file or a program`
      : `${shown} is not a table or view`,
    'Read what is stored here.',
  )
}

const secret = (shown: string): Refusal =>
  new Refusal('secret', `${shown} is not readable for queries`, 'Read db/schema for what there is.')
