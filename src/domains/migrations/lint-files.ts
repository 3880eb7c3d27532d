import { access } from 'node:fs/promises'
import { AppError } from '../../errors.js'
import { OPERATOR_VERSIONS, readFolder, readText } from './files.js'
import type { Linting } from './linting.js'
import type { Finding } from './report.js'
import { readScript } from './script.js'

/** What the linter says of one file. */
export interface LintedFile {
  readonly file: string
  /** Why the file cannot be run at all, and the next step; null when it can. */
  readonly problem: string | null
  readonly lint: readonly Finding[]
}

/** Lints the named files, or all of the folder. */
export const lintPaths = (
  paths: readonly string[],
  directory: string,
  linting: Linting,
): Promise<LintedFile[]> =>
  paths.length > 0 ? lintFiles(paths, linting) : lintFolder(directory, linting)

/** Lints the files of the operator's folder that can be run, and names those that cannot. */
async function lintFolder(directory: string, linting: Linting): Promise<LintedFile[]> {
  const { migrations, faults } = await readFolder(directory, OPERATOR_VERSIONS)
  const linted: LintedFile[] = faults.map(({ file, message, nextStep }) => ({
    file,
    problem: `${message} ${nextStep}`,
    lint: [],
  }))
  for (const { version, name, upSql, downSql } of migrations) {
    linted.push(await lintText(linting, `${version}_${name}.up.sql`, upSql, downSql !== null))
  }
  return linted
}

/**
 * Lints single files, wherever they are.
 *
 * @throws AppError `not_found` for a file that cannot be read
 */
async function lintFiles(paths: readonly string[], linting: Linting): Promise<LintedFile[]> {
  const linted: LintedFile[] = []
  for (const path of paths) {
    const read = await readText(path).catch((error: unknown) => unreadable(error))
    if ('fault' in read) linted.push({ file: path, problem: `${path} ${read.fault}.`, lint: [] })
    else linted.push(await lintText(linting, path, read.text, await hasDown(path)))
  }
  return linted
}

/**
 * What the linter says of a script, as a run would after those that it was asked of before.
 *
 * @throws AppError `invalid_input` with file and place for what could not be run at all
 */
export async function lintOne(
  linting: Linting,
  file: string,
  sql: string,
  about: { readonly hasDown: boolean; readonly signal?: AbortSignal },
): Promise<readonly Finding[]> {
  const script = await readScript(file, sql, about.signal)
  const hasDown = about.hasDown || script.directives.irreversible !== null
  return linting.of({ script, done: 0 }, { hasDown, isBuiltIn: false })
}

async function lintText(
  linting: Linting,
  file: string,
  text: string,
  hasDown: boolean,
): Promise<LintedFile> {
  try {
    return { file, problem: null, lint: await lintOne(linting, file, text, { hasDown }) }
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
