import { AppError, abortError, type ErrorCode } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { isConnectionLoss, sqlState } from '../../platform/postgres/errors.js'
import type { Blocker } from '../../platform/postgres/lock-watch.js'
import { namesOf } from '../../platform/postgres/named-objects.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { placeOf, unitsOf } from '../../platform/sql-parser/text-place.js'
import type { Script } from './script.js'

/** How somebody goes on after a failure. */
export interface NextStep {
  /** What to do after the script was corrected and before the command. */
  readonly before: string
  readonly command: string
}

/** What a failed statement is told with. */
interface Failed {
  readonly task: { readonly script: Script; readonly next: NextStep }
  readonly statement: ScriptStatement
  /** What became of the statements before it, as a sentence. */
  readonly kept: string
  readonly blockers: readonly Blocker[]
  readonly signal: AbortSignal
  /** Where it is looked up which objects there are. */
  readonly ledger: DirectSession
}

/** SQLSTATE classes whose failures have a code of their own; the longest match wins. */
const CODES: Readonly<Record<string, ErrorCode>> = {
  '23': 'integrity_violation',
  '40': 'conflict',
  '42501': 'permission_denied',
  '53': 'unavailable',
  '55P03': 'conflict',
  '57014': 'timeout',
}

/** What an SQLSTATE says of a script; the longest match wins. In our words: PostgreSQL's may quote rows. */
const MEANINGS: Readonly<Record<string, string>> = {
  '0A': 'PostgreSQL does not support that',
  '22': 'a value cannot be converted, or is out of range',
  '22012': 'a number is divided by zero',
  '23': 'a rule of the table is broken',
  '23502': 'a row has no value where one is needed',
  '23503': 'a row refers to one that is not there, or is referred to',
  '23505': 'two rows have the same key',
  '23514': 'a row breaks a check',
  '23P01': 'two rows exclude each other',
  '2BP01': 'other objects depend on it',
  '3F000': 'there is no such schema',
  '40': 'others changed the same at the same time',
  '42': 'PostgreSQL cannot do that with these objects',
  '42501': 'the role of migrations may not do that',
  '42601': 'that is not SQL of this version of PostgreSQL',
  '42701': 'there is such a column already',
  '42703': 'there is no such column',
  '42704': 'there is no such object',
  '42710': 'there is such an object already',
  '42723': 'there is such a function already',
  '42804': 'the types do not fit',
  '42883': 'there is no such function or operator for these types',
  '42P01': 'there is no such table or view',
  '42P06': 'there is such a schema already',
  '42P07': 'there is such a table, view or index already',
  '53': 'PostgreSQL is out of a resource',
  '54': 'it goes beyond a limit of PostgreSQL',
  '55': 'the object is not in a state for it',
  '55P03': 'others held a lock that it needs',
  '57014': 'it took longer than its limit',
  P0001: 'the script raised an error of its own',
}

/** `RAISE` takes every field from the script, its SQLSTATE included; this one alone is the server's. */
const RAISED = { routine: 'exec_stmt_raise', state: 'P0001' }

/**
 * A failure of a script: where it happened and what it means, and the objects it names that are there.
 * PostgreSQL's own text is only in the cause, for it may quote a row.
 */
export async function scriptFailure(error: unknown, failed: Failed): Promise<unknown> {
  if (error instanceof AppError) return error
  const { task, statement, kept, blockers, signal, ledger } = failed
  const { script, next } = task
  const where = `${script.file}, statement ${statement.index} of ${script.steps.length}`
  if (isConnectionLoss(error)) {
    return new AppError('unavailable', `The connection was lost during ${where}.`, {
      hint: `Run "${next.command}": it goes on from what PostgreSQL has kept.`,
      cause: error,
    })
  }
  const isRaised = Reflect.get(Object(error), 'routine') === RAISED.routine
  const state = isRaised ? RAISED.state : sqlState(error)
  if (state === null) return error
  if (signal.aborted) {
    return new AppError('cancelled', `${where} was stopped. ${kept}`, {
      hint: `Run "${next.command}" to go on.`,
      cause: abortError(signal),
    })
  }
  const named = isRaised ? '' : await namesOf(error, ledger)
  const meaning = meantBy(MEANINGS, state) ?? 'PostgreSQL refused it'
  const message = `${where} (${shownPlace(statement, error)}) failed: ${meaning}${named} (SQLSTATE ${state}).`
  const code = meantBy(CODES, state) ?? 'precondition_failed'
  return new AppError(code, `${message}${waitedFor(blockers)} ${kept}`, {
    hint: `${adviceFor(state, script.file, next)} run "${next.command}". PostgreSQL's own words may hold values of rows: they are in the server's log.`,
    retryable: isPassing(state),
    cause: error,
  })
}

function meantBy<T>(table: Readonly<Record<string, T>>, state: string): T | undefined {
  for (let length = 5; length >= 2; length--) {
    const meaning = table[state.slice(0, length)]
    if (meaning !== undefined) return meaning
  }
  return undefined
}

/** Line and column, with the word of the script that is there. */
function shownPlace({ text, line }: ScriptStatement, error: unknown): string {
  const position = Number(Reflect.get(Object(error), 'position'))
  if (!Number.isInteger(position) || position < 1) return `line ${line}`
  const at = unitsOf(text, position - 1)
  const place = placeOf(text, at)
  const [word = ''] = /^[\p{L}\p{N}_."$]{0,80}/u.exec(text.slice(at, at + 80)) ?? []
  const shown = word === '' ? '' : `, at ${word}`
  // The first line of the statement may begin anywhere; its column is that of the statement.
  return `line ${line + place.line - 1}, column ${place.column}${shown}`
}

/** Others were in the way; the script itself may be right. */
const isPassing = (state: string): boolean => state === '55P03' || state.startsWith('40')

function adviceFor(state: string, file: string, { before }: NextStep): string {
  if (isPassing(state)) {
    return 'Let those sessions finish (pg_stat_activity and catalyst://db/performance/connections show them), or choose a quieter time, then'
  }
  if (state === '57014') {
    return `Give ${file} more time with a line "-- statement_timeout: 1h" at its top,${before} then`
  }
  if (state === '42501') {
    return `What belongs to another role is changed once it is handed over, what is in the schema catalyst never;${before} then`
  }
  return `Correct ${file},${before} then`
}

function waitedFor(blockers: readonly Blocker[]): string {
  const named = blockers.map(({ pid, application_name, transaction_seconds }) => {
    const name = application_name.replaceAll(/[^\x20-\x7e]|"/g, '?').slice(0, 60)
    const since =
      transaction_seconds === null ? '' : `, in a transaction for ${transaction_seconds} s`
    return `backend ${pid} ("${name}"${since})`
  })
  return named.length === 0 ? '' : ` It waited for ${named.join(', ')}.`
}
