import { createHash } from 'node:crypto'
import type { Dirent } from 'node:fs'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.js'
import { type Directives, readDirectives } from './directives.js'

/** One migration as its files on disk say it. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** Name of the up script in its folder. */
  readonly file: string
  readonly description: string
  readonly directives: Directives
  readonly upSql: string
  /** Over LF-normalised text, so that a checkout with other line ends is the same migration. */
  readonly upSha256: string
  /** Null when the migration cannot be rolled back. */
  readonly downSql: string | null
}

/** A file that cannot be used as it is, and what to do about it. */
export interface FileFault {
  readonly version: number | null
  /** Printable, whatever the file is called. */
  readonly file: string
  readonly message: string
  readonly nextStep: string
}

/** What a folder has: what can be run, and what stands in the way. */
export interface MigrationFolder {
  readonly migrations: readonly Migration[]
  readonly faults: readonly FileFault[]
}

/** The versions a folder may have. */
export interface VersionRange {
  readonly first: number
  readonly last: number
}

/** The product's own migrations. */
export const BUILT_IN_VERSIONS: VersionRange = { first: 1, last: 999 }
/** The operator's, up to the largest integer of PostgreSQL. */
export const OPERATOR_VERSIONS: VersionRange = { first: 1_000, last: 2_147_483_647 }

const NAME = /^(\d{1,10})_([a-z0-9_]{1,80})\.(up|down)\.sql$/
/** Larger scripts carry data, which belongs into a COPY. */
const MAX_BYTES = 5 * 1024 * 1024

/** SHA-256 of a text in hexadecimal. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/**
 * Reads a folder's `NNNN_name.up.sql` and `.down.sql` files, lowest version first. A folder that
 * does not exist is empty.
 *
 * @throws AppError `precondition_failed` when the folder cannot be read
 */
export async function readFolder(directory: string, range: VersionRange): Promise<MigrationFolder> {
  const entries = await entriesOf(directory)
  const faults: FileFault[] = []
  const named = entries.flatMap((entry) => {
    const found = nameOf(entry, range)
    if ('message' in found) faults.push(found)
    return 'message' in found ? [] : [found]
  })
  const texts = new Map<string, string>()
  for (const { file, version } of named) {
    const text = await readScript(join(directory, file))
    if (text === null) faults.push(unreadable(version, file))
    else texts.set(file, text)
  }
  const ups = named.filter(({ part, file }) => part === 'up' && texts.has(file))
  faults.push(...duplicates(ups), ...orphans(named))
  const migrations = ups.map((up) => migrationOf(up, texts, faults))
  return { migrations: migrations.sort((a, b) => a.version - b.version), faults }
}

interface FileName {
  readonly file: string
  readonly version: number
  readonly name: string
  readonly part: string
}

async function entriesOf(directory: string): Promise<Dirent[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true })
    return entries.filter(({ name }) => /\.sql$/i.test(name)).sort(byName)
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return []
    throw new AppError('precondition_failed', 'The folder of migrations cannot be read.', {
      hint: 'Check CATALYST_MIGRATIONS_DIR: it must be a folder that this server may read.',
      cause: error,
    })
  }
}

const byName = (a: Dirent, b: Dirent): number => (a.name < b.name ? -1 : 1)

function nameOf(entry: Dirent, range: VersionRange): FileName | FileFault {
  const file = entry.name
  const [, digits, name, part] = NAME.exec(file) ?? []
  if (!digits || !name || !part || entry.isDirectory()) {
    return {
      version: null,
      file: printable(file),
      message: `${printable(file)} looks like a migration but is not named like one.`,
      nextStep:
        'Name it <version>_<name>.up.sql or .down.sql, the name of a-z, 0-9 and _ (up to 80); or move it out of the folder.',
    }
  }
  const version = Number(digits)
  if (version >= range.first && version <= range.last) return { file, version, name, part }
  return {
    version,
    file,
    message: `${file} has a version outside of ${range.first} to ${range.last}.`,
    nextStep: `Rename it: versions below ${OPERATOR_VERSIONS.first} belong to catalyst-db, yours begin there.`,
  }
}

/** Null when it is no file, too large, or not UTF-8. */
async function readScript(path: string): Promise<string | null> {
  const { size } = await stat(path)
  if (size > MAX_BYTES) return null
  try {
    const bytes = await readFile(path)
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replaceAll('\r\n', '\n')
  } catch (error) {
    if (error instanceof TypeError) return null
    throw error
  }
}

function migrationOf(
  { file, version, name }: FileName,
  texts: ReadonlyMap<string, string>,
  faults: FileFault[],
): Migration {
  const upSql = texts.get(file) ?? ''
  const down = file.replace(/up\.sql$/, 'down.sql')
  const downSql = texts.get(down) ?? null
  const wrong: string[] = []
  const directives = readDirectives(upSql, wrong)
  faults.push(...wrong.map((what) => badDirective(version, file, what)))
  const downWrong: string[] = []
  readDirectives(downSql ?? '', downWrong)
  faults.push(...downWrong.map((what) => badDirective(version, down, what)))
  return {
    version,
    name,
    file,
    description: directives.description,
    directives,
    upSql,
    upSha256: sha256(upSql),
    downSql: directives.irreversible === null ? downSql : null,
  }
}

const duplicates = (ups: readonly FileName[]): FileFault[] =>
  ups.flatMap(({ file, version }, at) =>
    ups.findIndex((other) => other.version === version) === at
      ? []
      : [
          {
            version,
            file,
            message: `Two migrations have version ${version}.`,
            nextStep: `Give ${file} and its down script the next free version.`,
          },
        ],
  )

/** A down script alone is half of what somebody wanted to write, or the rest of what was deleted. */
const orphans = (named: readonly FileName[]): FileFault[] =>
  named
    .filter(({ part, file }) => {
      const up = file.replace(/down\.sql$/, 'up.sql')
      return part === 'down' && !named.some((other) => other.file === up)
    })
    .map(({ version, file }) => ({
      version,
      file,
      message: `${file} has no .up.sql beside it.`,
      nextStep: 'Add the .up.sql of the same name, or delete this file.',
    }))

const unreadable = (version: number, file: string): FileFault => ({
  version,
  file,
  message: `${file} is larger than ${MAX_BYTES} bytes or not UTF-8.`,
  nextStep: 'Save it as UTF-8; divide a large one, and load data with COPY outside of migrations.',
})

const badDirective = (version: number, file: string, what: string): FileFault => ({
  version,
  file,
  message: `${file} has a header that cannot be read: ${what}.`,
  nextStep: 'Correct the header line; nothing of the file was run.',
})

const printable = (file: string): string =>
  JSON.stringify(file.slice(0, 100)).replaceAll(/[^\x20-\x7e]/g, '?')
