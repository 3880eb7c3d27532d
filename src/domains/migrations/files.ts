import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.js'

/** One migration as its files on disk say it. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly description: string
  readonly upSql: string
  /** Over LF-normalised text, so that a checkout with other line ends is the same migration. */
  readonly upSha256: string
  /** Null when there is no `.down.sql`: the migration cannot be rolled back. */
  readonly downSql: string | null
}

const UP_FILE = /^(\d+)_([a-z0-9_]{1,80})\.up\.sql$/

/**
 * Reads a folder's `NNNN_name.up.sql` and `.down.sql` files, lowest version first.
 *
 * @throws AppError `precondition_failed` when two files claim one version
 */
export async function readMigrations(directory: string): Promise<Migration[]> {
  const files = await readdir(directory)
  const downs = new Set(files.filter((file) => file.endsWith('.down.sql')))
  const migrations = await Promise.all(
    files.flatMap((file) => {
      const [, version, name] = UP_FILE.exec(file) ?? []
      return version && name ? [readMigration(directory, Number(version), name, file, downs)] : []
    }),
  )
  migrations.sort((a, b) => a.version - b.version)
  migrations.forEach((migration, index) => {
    if (migrations[index - 1]?.version === migration.version) {
      throw new AppError(
        'precondition_failed',
        `Two migrations have version ${migration.version}.`,
        {
          hint: `Give one of the files in ${directory} the next free version.`,
        },
      )
    }
  })
  return migrations
}

async function readMigration(
  directory: string,
  version: number,
  name: string,
  upFile: string,
  downs: ReadonlySet<string>,
): Promise<Migration> {
  const upSql = await readNormalized(join(directory, upFile))
  const downFile = upFile.replace(/\.up\.sql$/, '.down.sql')
  return {
    version,
    name,
    description: /^-- description: (.*)$/m.exec(upSql)?.[1] ?? '',
    upSql,
    upSha256: createHash('sha256').update(upSql).digest('hex'),
    downSql: downs.has(downFile) ? await readNormalized(join(directory, downFile)) : null,
  }
}

const readNormalized = async (path: string): Promise<string> =>
  (await readFile(path, 'utf8')).replaceAll('\r\n', '\n')
