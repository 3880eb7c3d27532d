import { AppError } from '../../errors.js'
import { parseScript } from '../../platform/sql-parser/parse-script.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { type Directives, readDirectives } from './directives.js'
import { sha256 } from './files.js'
import { transactionless } from './lint/transactionless.js'
import { maySpareTransaction, type Standalone, standaloneOf } from './standalone.js'

/** One statement, and how it is to be run. */
export interface Step {
  readonly statement: ScriptStatement
  /** Set when it cannot run inside a transaction. */
  readonly standalone: Standalone | null
}

/** A script as it will be run. */
export interface Script {
  /** As messages name it, such as `1003_add_venue.up.sql`. */
  readonly file: string
  readonly directives: Directives
  readonly steps: readonly Step[]
  /** All of it is one transaction; else every statement is for itself. */
  readonly isTransactional: boolean
}

/**
 * Parses a script and decides how it is run.
 *
 * @throws AppError `invalid_input` when PostgreSQL could not read it, or when it begins or ends
 *   transactions by itself
 */
export async function readScript(file: string, text: string): Promise<Script> {
  const directives = readDirectives(text, [])
  const statements = await parsed(file, text)
  const steps = statements.map((statement) => ({
    statement,
    standalone: standaloneOf(statement),
  }))
  const isTransactional = !directives.noTransaction && steps.every((step) => !step.standalone)
  for (const step of steps) refuseUnrunnable(file, step, isTransactional)
  return { file, directives, steps, isTransactional }
}

/** What tells whether the first `count` statements are still the ones that were run. */
export const digestOfFirst = ({ steps }: Script, count: number): string =>
  sha256(JSON.stringify(steps.slice(0, count).map(({ statement }) => statement.text)))

async function parsed(file: string, text: string): Promise<readonly ScriptStatement[]> {
  try {
    return await parseScript(text)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, `${file} cannot be read. ${error.message}`, {
      hint: error.hint ?? 'Correct the file.',
      cause: error,
    })
  }
}

function refuseUnrunnable(
  file: string,
  { statement, standalone }: Step,
  isTransactional: boolean,
): void {
  const at = `${file}, statement ${statement.index} (line ${statement.line})`
  if (statement.kind === 'TransactionStmt') {
    throw new AppError('invalid_input', `${at} begins or ends a transaction by itself.`, {
      hint: 'Remove it: a file is one transaction.',
    })
  }
  if (transactionless(statement) !== null && standalone === null) {
    throw new AppError('invalid_input', `${at} cannot be part of a migration.`, {
      hint: 'It is about the server and not about the schema of this database: run it by hand.',
    })
  }
  if (!isTransactional && !maySpareTransaction(statement)) {
    throw new AppError('invalid_input', `${at} needs a transaction, which this file has not.`, {
      hint: 'Put it into a file of its own. Without a transaction there may be CREATE, DROP and REINDEX INDEX CONCURRENTLY, DETACH PARTITION CONCURRENTLY, VACUUM, ANALYZE, ALTER TYPE ADD VALUE and VALIDATE CONSTRAINT.',
    })
  }
  if (standalone?.kind === 'create index' && standalone.index === null) {
    throw new AppError('invalid_input', `${at} creates an index without naming it.`, {
      hint: 'Name the index: after an interruption only its name tells whether it was built.',
    })
  }
}
