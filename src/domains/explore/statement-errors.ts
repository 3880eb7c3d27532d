import { AppError } from '../../errors.js'
import { isConnectionLoss, sqlState, translate } from '../../platform/postgres/errors.js'
import { RowTooLarge } from '../../platform/postgres/reader/portal.js'
import type { QualifiedText } from '../../platform/sql-parser/read-only/read-query.js'

/** What an error that is found before anything runs names: it comes from the text and the catalog only. */
const NAMED: Readonly<Record<string, (name: string) => string>> = {
  '42P01': (name) => `there is no table or view ${name}`,
  '42703': (name) => `there is no column ${name}`,
  '42883': (name) => `there is no function or operator ${name}`,
  '42704': (name) => `there is no type or object ${name}`,
  '42702': (name) => `the column ${name} is ambiguous`,
  '42803': (name) => `${name} must be in GROUP BY or inside an aggregate`,
  '42725': (name) => `several functions or operators ${name} would do: add casts`,
  '3F000': (name) => `there is no schema ${name}`,
  '42P02': (name) => `there is no parameter ${name}`,
  '42P18': (name) => `the type of the parameter ${name} is not clear: add a cast`,
}

/** What an error means, without any value. */
const MEANINGS: Readonly<Record<string, string>> = {
  '21000': 'a subquery that must give one row gave several',
  '22003': 'a number is out of the range of its type',
  '22007': 'a text is not a date or time',
  '22008': 'a date or time is out of range',
  '22012': 'division by zero',
  '22023': 'an argument of a function is not allowed',
  '22P02': 'a text cannot be read as the type it is cast to',
  '2201W': 'LIMIT must not be negative',
  '2201X': 'OFFSET must not be negative',
  '42601': 'syntax that this version of PostgreSQL does not know',
  '42804': 'types do not fit together: add casts',
  '42846': 'there is no such cast',
  '53200': 'PostgreSQL is out of memory',
  '53400': 'a limit of the server was reached: temporary files, perhaps',
  '54000': 'a value is larger than PostgreSQL can hold',
  '54001': 'the statement is too complex',
}

/** Why PostgreSQL could not read a statement; nothing of it has run yet, so nothing of a row is told. */
export function whileReading(error: unknown, sent: QualifiedText): unknown {
  const state = sqlState(error)
  if (!state || isConnectionLoss(error)) return translate(error)
  if (state === '42501') return notReadable(error)
  if (state === '55P03' || state === '57014') return whileRunning(error)
  const told = NAMED[state]?.(nameIn(error)) ?? meaningOf(state)
  return new AppError('invalid_input', `${placeIn(error, sent)}${told}.`, {
    hint: 'Correct the statement; read catalyst://db/schema?table=… for columns.',
    cause: error,
  })
}

/** Why it failed while it ran: never with the server's text, which may hold a value of a row. */
export function whileRunning(error: unknown): unknown {
  if (error instanceof RowTooLarge) {
    return new AppError('invalid_input', 'One row alone is larger than the 256 kB of an answer.', {
      hint: 'Select fewer columns, or a part: left(text, 1000), length(text).',
    })
  }
  const state = sqlState(error)
  if (error instanceof AppError || !state || isConnectionLoss(error)) return translate(error)
  if (state === '42501') return notReadable(error)
  if (state === '57014') {
    return new AppError('timeout', 'The statement ran longer than 10 s and was stopped.', {
      hint: 'Filter by an indexed column, or limit what is read; analyze_query says what takes the time.',
      cause: error,
      retryable: false,
    })
  }
  if (state === '55P03') return translate(error)
  return new AppError('invalid_input', `While it ran: ${meaningOf(state)}.`, {
    hint: 'Nothing was changed. Correct the statement.',
    cause: error,
  })
}

const notReadable = (cause: unknown): AppError =>
  new AppError(
    'permission_denied',
    'Refused by rule not_granted: the reader may not read all of it.',
    {
      hint: 'Let an operator grant SELECT to the role that reads: catalyst_reader, or that of CATALYST_READER_URL.',
      cause,
    },
  )

const meaningOf = (state: string): string =>
  MEANINGS[state] ??
  MEANINGS[`${state.slice(0, 2)}000`] ??
  `PostgreSQL refused it (SQLSTATE ${state})`

/** What stands in quotes, or what looks like a call. */
function nameIn(error: unknown): string {
  const message = error instanceof Error ? error.message.slice(0, 300) : ''
  const [, quoted, call] = /["«]([^"»]+)["»]|([\w.]+\([^)]*\)|: .+$)/.exec(message) ?? []
  return (quoted ?? call?.replace(/^: /, '') ?? '').replaceAll(/\p{C}/gu, '?').slice(0, 120)
}

/** Where it is in the text as it came. */
function placeIn(error: unknown, sent: QualifiedText): string {
  const position = Number(Reflect.get(Object(error), 'position'))
  if (!(position > 0)) return ''
  const { line, column } = sent.placeOf(position)
  return `At line ${line}, column ${column}: `
}
