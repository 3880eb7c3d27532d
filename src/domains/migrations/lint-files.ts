import { access } from 'node:fs/promises'
import { AppError } from '../../errors.js'
import { OPERATOR_VERSIONS, readFolder, readText } from './files.js'
import { lintScript } from './lint/lint-script.js'
import type { Finding } from './report.js'
import { readScript } from './script.js'

/** What the linter says of one file. */
export interface LintedFile {
  readonly file: string
  /** Why the file cannot be run at all, and the next step; null when it can. */
  readonly problem: string | null
  readonly lint: readonly Finding[]
}

/** Lints the files of the operator's folder that can be run, and names those that cannot. */
export async function lintFolder(directory: string): Promise<LintedFile[]> {
  const { migrations, faults } = await readFolder(directory, OPERATOR_VERSIONS)
  const linted: LintedFile[] = faults.map(({ file, message, nextStep }) => ({
    file,
    problem: `${message} ${nextStep}`,
    lint: [],
  }))
  for (const { version, name, upSql, downSql } of migrations) {
    linted.push(await lintText(`${version}_${name}.up.sql`, upSql, downSql !== null))
  }
  return linted
}

/**
 * Lints single files, wherever they are.
 *
 * @throws AppError `not_found` for a file that cannot be read
 */
export async function lintFiles(paths: readonly string[]): Promise<LintedFile[]> {
  const linted: LintedFile[] = []
  for (const path of paths) {
    const read = await readText(path).catch((error: unknown) => unreadable(error))
    if ('fault' in read) linted.push({ file: path, problem: `${path} ${read.fault}.`, lint: [] })
    else linted.push(await lintText(path, read.text, await hasDown(path)))
  }
  return linted
}

/**
 * What the linter says of a script where no database tells how big its tables are.
 *
 * @throws AppError `invalid_input` with file and place for what could not be run at all
 */
export async function lintAlone(
  file: string,
  sql: string,
  hasDown: boolean,
  signal?: AbortSignal,
): Promise<readonly Finding[]> {
  const { steps, directives, isTransactional } = await readScript(file, sql, signal)
  const statements = steps.map(({ statement }) => statement)
  const { allow, irreversible } = directives
  const hasAnswer = hasDown || irreversible !== null
  const context = { allow, isTransactional, hasDown: hasAnswer, tables: null }
  return lintScript(statements, context)
}

async function lintText(file: string, text: string, hasDown: boolean): Promise<LintedFile> {
  try {
    const lint = await lintAlone(file, text, hasDown)
    return { file, problem: null, lint }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { file, problem: [error.message, error.hint].join(' '), lint: [] }
  }
}

const hasDown = (path: string): Promise<boolean> =>
  access(path.replace(/\.up\.sql$/, '.down.sql')).then(
    () => true,
    () => false,
  )

function unreadable(cause: unknown): never {
  throw new AppError('not_found', 'One of the files cannot be read.', {
    hint: 'Check the paths: each must be a file of SQL that this user may read.',
    cause,
  })
}
