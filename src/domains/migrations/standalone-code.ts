import { AppError } from '../../errors.js'
import { aside } from '../../platform/postgres/catalog-only.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { sql } from '../../platform/postgres/sql.js'
import { nodesOf, type ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { partsOf } from './lint/relation-name.js'
import type { Standalone } from './standalone.js'

/** PostgreSQL's comparisons, which BETWEEN, IN and DISTINCT come to. */
const COMPARISONS = ['=', '<>', '<', '<=', '>', '>=']

/**
 * Refuses a statement outside of transactions that would run code of this database: what that does could
 * neither be measured nor taken back.
 *
 * @throws AppError `precondition_failed` naming what would be called
 */
export async function refuseCode(
  session: DirectSession,
  statement: ScriptStatement,
  standalone: Standalone,
): Promise<void> {
  const called = standalone.kind === 'create index' ? callsOf(statement) : NOTHING
  const found = await aside(session, () => session.many(codeBehind(tablesOf(standalone), called)))
  if (found.length === 0) return
  const names = found
    .slice(0, 3)
    .map(({ name }) => name)
    .join(', ')
  throw new AppError(
    'precondition_failed',
    `Statement ${statement.index} would run ${names} outside of a transaction, where nothing can be taken back.`,
    { hint: 'Do it in a file that is a transaction: without CONCURRENTLY, or of another table.' },
  )
}

interface Calls {
  readonly functions: readonly string[]
  readonly operators: readonly string[]
  readonly types: readonly string[]
}

const NOTHING: Calls = { functions: [], operators: [], types: [] }

function callsOf(statement: ScriptStatement): Calls {
  const calls = { functions: [] as string[], operators: [] as string[], types: [] as string[] }
  for (const { kind, node } of nodesOf(statement)) {
    if (kind === 'FuncCall') calls.functions.push(partsOf(node.funcname).at(-1) ?? '')
    if (kind === 'A_Expr') calls.operators.push(...partsOf(node.name), ...COMPARISONS)
    if (kind === 'TypeCast') calls.types.push(partsOf(node.typeName?.names).at(-1) ?? '')
  }
  return calls
}

/** Null for every table. */
function tablesOf(standalone: Standalone): readonly string[] | null {
  switch (standalone.kind) {
    case 'create index':
      return [standalone.table]
    case 'reindex':
      return standalone.relation === null ? null : [standalone.relation]
    case 'vacuum':
      return standalone.relations.length === 0 ? null : standalone.relations
    // They look at no row.
    case 'drop index':
    case 'detach partition':
      return []
  }
}

/** Code of this database that an expression calls, or that checks, indexes and statistics of tables do. */
const codeBehind = (tables: readonly string[] | null, { functions, operators, types }: Calls) =>
  sql<{ name: string }>`
  with code as (
    select oid, proname
    from pg_proc
    where oid >= 16384
      and prolang not in (select oid from pg_language where lanname in ('c', 'internal'))
  ),
  target as (
    select coalesce(indrelid, class.oid) as oid
    from pg_class as class
    join pg_namespace as namespace on namespace.oid = relnamespace
    left join pg_index on indexrelid = class.oid
    where ${tables}::text[] is null
      or concat('"', replace(nspname, '"', '""'), '"."', replace(relname, '"', '""'), '"')
        = any (${(tables ?? []).map(qualified)}::text[])
  )
  select distinct oid::regprocedure::text as name
  from code
  where proname = any (${functions}::text[])
  union
  select entry.oid::regoperator::text
  from pg_operator as entry
  where entry.oid >= 16384
    and oprname = any (${operators}::text[])
    and (oprcode < 16384 or oprcode in (select oid from code))
  union
  select oid::regtype::text
  from pg_type
  where oid >= 16384 and typname = any (${types}::text[]) and typtype in ('d', 'c', 'r', 'm')
  union
  select castfunc::regprocedure::text
  from pg_cast
  where castfunc in (select oid from code) and ${functions.length + operators.length + types.length}::integer > 0
  union
  select code.oid::regprocedure::text
  from pg_depend
  join code on refclassid = 'pg_proc'::regclass and refobjid = code.oid
  where case classid
      when 'pg_attrdef'::regclass then null
      when 'pg_constraint'::regclass then (select conrelid from pg_constraint where oid = objid)
      when 'pg_class'::regclass then (select indrelid from pg_index where indexrelid = objid)
      when 'pg_statistic_ext'::regclass then (select stxrelid from pg_statistic_ext where oid = objid)
    end in (select oid from target)`

/** A name without a schema leads to `public`. */
const qualified = (name: string): string => (name.includes('"."') ? name : `"public".${name}`)
