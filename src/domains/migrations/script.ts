import { AppError } from '../../errors.js'
import { parseScript } from '../../platform/sql-parser/parse-script.js'
import {
  isOfServer,
  maySpareTransaction,
  type Standalone,
  standaloneOf,
} from '../../platform/sql-parser/standalone.js'
import type { ScriptStatement } from '../../platform/sql-parser/syntax.js'
import { type Directives, readDirectives } from './directives.js'
import { sha256 } from './files.js'

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
  /** Of each statement and all before it. */
  readonly digests: readonly string[]
  /** All of it is one transaction; else every statement is for itself. */
  readonly isTransactional: boolean
}

/**
 * Parses a script and decides how it is run.
 *
 * @throws AppError `invalid_input` when PostgreSQL could not read it, when it begins or ends
 *   transactions by itself, is empty, or is written for another tool
 */
export async function readScript(
  file: string,
  text: string,
  signal?: AbortSignal,
): Promise<Script> {
  const directives = readDirectives(text, [])
  const statements = await parseScript(text, signal).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    throw new AppError(error.code, `${file} cannot be read. ${error.message}`, {
      hint: error.hint ?? 'Correct the file.',
      cause: error,
    })
  })
  refuseForeign(file, text, statements)
  const steps = statements.map((statement) => ({ statement, standalone: standaloneOf(statement) }))
  const isTransactional = !directives.noTransaction && steps.every((step) => !step.standalone)
  for (const step of steps) refuseUnrunnable(file, step, isTransactional)
  return { file, directives, steps, isTransactional, digests: digestsOf(statements) }
}

/** What tells whether the first `count` statements are still the ones that were run; '' for none. */
export const digestOfFirst = ({ digests }: Script, count: number): string =>
  digests[count - 1] ?? ''

function digestsOf(statements: readonly ScriptStatement[]): string[] {
  let digest = ''
  return statements.map(({ text }) => {
    digest = sha256(JSON.stringify([digest, text]))
    return digest
  })
}

/** How other tools mark the parts of one file, or say what it is. */
const FOREIGN: readonly (readonly [tool: string, marker: RegExp])[] = [
  ['goose', /^[ \t]*--[ \t]*\+goose\b/im],
  ['sql-migrate', /^[ \t]*--[ \t]*\+(migrate|micrate)\b/im],
  ['dbmate', /^[ \t]*--[ \t]*migrate:\s*(up|down)\b/im],
  ['node-pg-migrate', /^[ \t]*--[ \t]*(up|down) migration\b/im],
  ['Liquibase', /^[ \t]*--[ \t]*(liquibase formatted sql|changeset\s+\S+:|rollback\s)/im],
  ['Sqitch', /^[ \t]*--[ \t]*(deploy|revert|verify)\s+\S+:\S+\s+(to|from|on)\s/im],
  ['MyBatis', /^[ \t]*--[ \t]*(\/\/\s*)?@undo\b/im],
  ['Flyway', /^[ \t]*--[ \t]*flyway:/im],
]

const refuse = (message: string, hint: string): never => {
  throw new AppError('invalid_input', message, { hint })
}

/** Both halves of such a file would run, one after the other. Strings of a statement are not looked at. */
function refuseForeign(file: string, text: string, statements: readonly ScriptStatement[]): void {
  if (statements.length === 0) {
    refuse(
      `${file} has no statement in it.`,
      'Write at least one SQL statement, or remove the file; a migration without a way back has no down script.',
    )
  }
  const around = betweenStatements(text, statements)
  const [tool] = FOREIGN.find(([, marker]) => marker.test(around)) ?? []
  if (tool === undefined) return
  refuse(
    `${file} is written for another tool (${tool}).`,
    "Put what it does into <version>_<name>.up.sql and what undoes it into <version>_<name>.down.sql, and leave the other tool's comments out.",
  )
}

function betweenStatements(text: string, statements: readonly ScriptStatement[]): string {
  const gaps: string[] = []
  let end = 0
  for (const statement of statements) {
    const start = text.indexOf(statement.text, end)
    gaps.push(text.slice(end, start))
    end = start + statement.text.length
  }
  return [...gaps, text.slice(end)].join('\n')
}

function refuseUnrunnable(
  file: string,
  { statement, standalone }: Step,
  isTransactional: boolean,
): void {
  const at = `${file}, statement ${statement.index} (line ${statement.line})`
  if (statement.kind === 'TransactionStmt') {
    refuse(`${at} begins or ends a transaction by itself.`, 'Remove it: a file is one transaction.')
  }
  if (standalone === null && isOfServer(statement)) {
    refuse(
      `${at} cannot be part of a migration.`,
      'It is about the server and not about the schema of this database: run it by hand.',
    )
  }
  if (!isTransactional && !maySpareTransaction(statement)) {
    refuse(
      `${at} needs a transaction, which this file has not.`,
      'Put it into a file of its own. Without a transaction there may be CREATE, DROP and REINDEX INDEX CONCURRENTLY, DETACH PARTITION CONCURRENTLY, VACUUM, ANALYZE, ALTER TYPE ADD VALUE and VALIDATE CONSTRAINT.',
    )
  }
  if (standalone?.kind === 'create index' && standalone.index === null) {
    refuse(
      `${at} creates an index without naming it.`,
      'Name the index: after an interruption only its name tells whether it was built.',
    )
  }
}
