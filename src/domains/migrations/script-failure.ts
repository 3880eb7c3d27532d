import { AppError, abortError, type ErrorCode } from '../../errors.js'
import { isConnectionLoss, serverMessage, sqlState } from '../../platform/postgres/errors.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import type { Blocker } from './session.sql.js'

/** How somebody goes on after a failure. */
export interface NextStep {
  /** What to do after the script was corrected and before the command. */
  readonly before: string
  readonly command: string
}

/** What a failed statement is told with. */
export interface FailurePlace {
  readonly file: string
  readonly statement: ScriptStatement
  readonly total: number
  /** What became of the statements before it, as a sentence. */
  readonly kept: string
  readonly next: NextStep
  readonly blockers: readonly Blocker[]
  readonly signal: AbortSignal
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

/**
 * A failure of the operator's own SQL, told with PostgreSQL's message: without it nobody could mend
 * the file. Its detail, which quotes rows, is left out.
 */
export function scriptFailure(error: unknown, place: FailurePlace): unknown {
  if (error instanceof AppError) return error
  const { file, statement, total, kept, next, signal } = place
  const where = `${file}, statement ${statement.index} of ${total}`
  if (isConnectionLoss(error)) {
    return new AppError('unavailable', `The connection was lost during ${where}.`, {
      hint: `Run "${next.command}": it goes on from what PostgreSQL has kept.`,
      cause: error,
    })
  }
  const state = sqlState(error)
  if (state === null) return error
  if (signal.aborted) {
    return new AppError('cancelled', `${where} was stopped. ${kept}`, {
      hint: `Run "${next.command}" to go on.`,
      cause: abortError(signal),
    })
  }
  const line = statement.line + linesBefore(statement.text, error)
  const message = `${where} (line ${line}) failed: ${serverMessage(error)} (SQLSTATE ${state}).`
  return new AppError(codeOf(state), `${message}${waitedFor(place)} ${kept}`, {
    hint: `${adviceFor(state, place)} run "${next.command}".`,
    retryable: isPassing(state),
    cause: error,
  })
}

const codeOf = (state: string): ErrorCode =>
  CODES[state] ?? CODES[state.slice(0, 2)] ?? 'precondition_failed'

/** Others were in the way; the script itself may be right. */
const isPassing = (state: string): boolean => state === '55P03' || state.startsWith('40')

function adviceFor(state: string, { file, next }: FailurePlace): string {
  if (isPassing(state)) {
    return 'Let those sessions finish (catalyst://db/performance/connections shows them), or choose a quieter time, then'
  }
  if (state === '57014') {
    return `Give ${file} more time with a line "-- statement_timeout: 1h" at its top,${next.before} then`
  }
  return `Correct ${file},${next.before} then`
}

function waitedFor({ blockers }: FailurePlace): string {
  const named = blockers.map(({ pid, application_name, transaction_seconds }) => {
    const name = application_name.replaceAll(/[^\x20-\x7e]|"/g, '?').slice(0, 60)
    const since =
      transaction_seconds === null ? '' : `, in a transaction for ${transaction_seconds} s`
    return `backend ${pid} ("${name}"${since})`
  })
  return named.length === 0 ? '' : ` It waited for ${named.join(', ')}.`
}

/** PostgreSQL counts characters from 1, which are code points. */
function linesBefore(text: string, error: unknown): number {
  const position = Number(Reflect.get(Object(error), 'position'))
  if (!Number.isInteger(position)) return 0
  return [...text].slice(0, position - 1).filter((character) => character === '\n').length
}
