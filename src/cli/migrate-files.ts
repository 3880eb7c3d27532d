import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { lintMigrations } from '../commands.js'
import { AppError } from '../errors.js'
import { EXIT } from './exit.js'
import { lintLine } from './lint-line.js'
import type { CreateOptions, Printed } from './migrate-options.js'
import { withMigrations } from './migrations.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'

/** Writes a new migration from files or standard input. */
export async function create(env: Env, name: string, options: CreateOptions): Promise<number> {
  const { up, down, description } = options
  const up_sql = await readSql(up)
  const down_sql = down === undefined ? '' : await readSql(down)
  return withMigrations(env, 'made', async (operations) => {
    const request = { name, up_sql, down_sql, description }
    const created = await operations.createByOperator(request)
    print(created, options, ({ migration_file, down_file, lint }) =>
      [migration_file, ...(down_file === null ? [] : [down_file]), ...lint.map(lintLine), ''].join(
        '\n',
      ),
    )
    return EXIT.ok
  })
}

/** Lints the named files, or those of the operator's folder; exits with 7 when one would not just run. */
export async function lint(env: Env, paths: readonly string[], options: Printed): Promise<number> {
  const files = await lintMigrations(readConfig(env), paths)
  print({ files }, options, readable)
  return files.every(runsUnasked) ? EXIT.ok : EXIT.findings
}

type LintedFile = Awaited<ReturnType<typeof lintMigrations>>[number]

const runsUnasked = ({ problem, lint }: LintedFile): boolean =>
  problem === null && lint.every(({ severity }) => severity !== 'error' && severity !== 'block')

function readable({ files }: { files: readonly LintedFile[] }): string {
  const lines = files.flatMap(({ file, problem, lint }) =>
    [...(problem === null ? [] : [problem]), ...lint.map(lintLine)].map(
      (line) => `${file}: ${line}`,
    ),
  )
  const count = files.length === 1 ? '1 file' : `${files.length} files`
  return [...lines, lines.length === 0 ? `${count}, nothing found` : count, ''].join('\n')
}

async function readSql(path: string): Promise<string> {
  if (path === '-') return text(process.stdin)
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    throw new AppError('not_found', `${path} cannot be read.`, {
      hint: 'Name a file of SQL that this user may read, or - for standard input.',
      cause,
    })
  }
}
