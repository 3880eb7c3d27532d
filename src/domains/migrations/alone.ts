import { AppError } from '../../errors.js'
import { aside } from '../../platform/postgres/catalog-only.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { codeBehind } from '../../platform/postgres/measure/code-behind.sql.js'
import { sql } from '../../platform/postgres/sql.js'
import type { Standalone } from '../../platform/sql-parser/standalone.js'
import { nodesOf, type ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { partsOf } from '../../platform/sql-parser/tree.js'
import * as ledger from './ledger.sql.js'
import type { Task } from './plan.js'
import type { Step } from './script.js'
import { execute, limitsOf, type Ran, type RunContext, withRepeats } from './transaction.js'

/** Only of the statement at which an earlier attempt was interrupted there is any doubt. */
export async function isDoneAlready(
  { session }: RunContext,
  task: Task,
  { statement, standalone }: Step,
): Promise<boolean> {
  const isDoubtful = task.isInDoubt && statement.index === task.done + 1
  return isDoubtful && standalone !== null && (await wasDone(session, standalone))
}

/** Runs a statement that PostgreSQL refuses inside of transactions, again while locks are not free. */
export const runAlone = (
  context: RunContext,
  task: Task,
  step: Step & { readonly standalone: Standalone },
  keptBefore: string,
): Promise<Ran> =>
  withRepeats(context, async (blockers) => {
    const { session, ledger: own } = context
    const { statement, standalone } = step
    const isIndex = standalone.kind === 'create index'
    await refuseCode(session, statement, standalone)
    await own.many(ledger.recordStarted(task.version, statement.index))
    await own.many(ledger.recordMarks(task.version, context.proof))
    await clearLeftovers(session, standalone)
    const limits = limitsOf(task.script, true).map((limit) => `set ${limit}`)
    await session.many(sql.trusted(limits.join('; ')))
    const kept = isIndex
      ? `${keptBefore} What PostgreSQL left of the index is dropped by the next run.`
      : keptBefore
    const ms = await execute(context, task, step, { kept, blockers, guard: null })
    if (isIndex && !(await indexOf(session, standalone))?.is_valid) {
      throw new AppError(
        'precondition_failed',
        `${task.script.file}, statement ${statement.index}: PostgreSQL left the index invalid.`,
        { hint: `Run "${task.next.command}": it drops the index and builds it again.` },
      )
    }
    context.stepDone(task, step)
    return { statement_ms: [ms], observed: null, stays: [] }
  })

/**
 * Whether a statement that nobody recorded the end of was done. A partition that was being detached is
 * detached to the end.
 */
async function wasDone(session: DirectSession, standalone: Standalone): Promise<boolean> {
  switch (standalone.kind) {
    case 'create index':
      return (await indexOf(session, standalone))?.is_valid ?? false
    case 'drop index': {
      const [found] = await session.many(sql<{ present: boolean }>`
        select to_regclass(${standalone.index}::text) is not null as present`)
      return !found?.present
    }
    case 'detach partition': {
      const { parent, partition } = standalone
      const [state] = await session.many(sql<{ is_pending: boolean }>`
        select inhdetachpending as is_pending
        from pg_inherits
        where inhparent = to_regclass(${parent}::text)
          and inhrelid = to_regclass(${partition}::text)`)
      if (!state?.is_pending) return state === undefined
      await session.command(`alter table ${parent} detach partition ${partition} finalize`)
      return true
    }
    case 'reindex':
    case 'vacuum':
      return false
  }
}

/**
 * Removes what an interrupted attempt at a statement left: an index that PostgreSQL maintains but
 * does not use, and that stands in the way of a new attempt.
 */
async function clearLeftovers(session: DirectSession, standalone: Standalone): Promise<void> {
  // Never the plain form: it would lock the table.
  const drop = (name: string) => session.command(`drop index concurrently if exists ${name}`)
  if (standalone.kind === 'create index') {
    const state = await indexOf(session, standalone)
    if (!state || state.is_valid) return
    if (state.is_being_built) {
      throw new AppError(
        'conflict',
        `Another session builds the index ${state.name} at this moment.`,
        {
          hint: 'Wait until pg_stat_activity (catalyst://db/performance/connections) shows no CREATE INDEX, then run the migration again.',
          retryable: true,
        },
      )
    }
    await drop(state.name)
  }
  if (standalone.kind === 'reindex') {
    for (const { name } of await session.many(reindexLeftovers(standalone.relation))) {
      await drop(name)
    }
  }
}

/** The state of an index of a table; null when there is none of that name. */
async function indexOf(
  session: DirectSession,
  { table, index }: Extract<Standalone, { kind: 'create index' }>,
) {
  const [state] = await session.many(sql<{
    is_valid: boolean
    /** Quoted where that is needed. */
    name: string
    is_being_built: boolean
  }>`
    select
      entry.indisvalid as is_valid,
      format('%I.%I', namespace.nspname, class.relname) as name,
      exists (
        select 1
        from pg_stat_progress_create_index as progress
        where progress.index_relid = entry.indexrelid
      ) as is_being_built
    from pg_index as entry
    join pg_class as class on class.oid = entry.indexrelid
    join pg_namespace as namespace on namespace.oid = class.relnamespace
    where entry.indrelid = to_regclass(${table}::text)
      and class.relname = ${index ?? ''}::name`)
  return state ?? null
}

/** Indexes that an interrupted REINDEX CONCURRENTLY left beside the real ones. */
const reindexLeftovers = (relation: string | null) => sql<{ name: string }>`
  select format('%I.%I', namespace.nspname, class.relname) as name
  from pg_index as entry
  join pg_class as class on class.oid = entry.indexrelid
  join pg_namespace as namespace on namespace.oid = class.relnamespace
  where not entry.indisvalid
    and class.relname ~ '_cc(new|old)[0-9]*$'
    and entry.indrelid in (
      select to_regclass(${relation}::text)
      union all
      select indrelid from pg_index where indexrelid = to_regclass(${relation}::text)
    )`

/** PostgreSQL's comparisons, which BETWEEN, IN and DISTINCT come to. */
const COMPARISONS = ['=', '<>', '<', '<=', '>', '>=']

/**
 * Refuses a statement that would run code of this database: what that does outside of transactions could
 * neither be measured nor taken back.
 */
async function refuseCode(
  session: DirectSession,
  statement: ScriptStatement,
  standalone: Standalone,
): Promise<void> {
  const calls = { functions: [] as string[], operators: [] as string[], types: [] as string[] }
  for (const { kind, node } of standalone.kind === 'create index' ? nodesOf(statement) : []) {
    if (kind === 'FuncCall') calls.functions.push(partsOf(node.funcname).at(-1) ?? '')
    if (kind === 'A_Expr') calls.operators.push(...partsOf(node.name), ...COMPARISONS)
    if (kind === 'TypeCast') calls.types.push(partsOf(node.typeName?.names).at(-1) ?? '')
  }
  const found = await aside(session, () => session.many(codeBehind(tablesOf(standalone), calls)))
  if (found.length === 0) return
  const names = found.slice(0, 3).map(({ name }) => name)
  throw new AppError(
    'precondition_failed',
    `Statement ${statement.index} would run ${names.join(', ')} outside of a transaction, where nothing can be taken back.`,
    { hint: 'Do it in a file that is a transaction: without CONCURRENTLY, or of another table.' },
  )
}

/** The tables whose rows it looks at; null for every table. */
function tablesOf(standalone: Standalone): readonly string[] | null {
  switch (standalone.kind) {
    case 'create index':
      return [standalone.table]
    case 'reindex':
      return standalone.relation === null ? null : [standalone.relation]
    case 'vacuum':
      return standalone.relations.length === 0 ? null : standalone.relations
    case 'drop index':
    case 'detach partition':
      return []
  }
}
