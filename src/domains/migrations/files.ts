import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { AppError } from '../../errors.js'
import { MAX_SCRIPT_BYTES } from '../../platform/sql-parser/parse-script.js'
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
    const read = await readText(join(directory, file), directory)
    if ('fault' in read) faults.push({ version, file, ...unusable(file, read.fault) })
    else texts.set(file, read.text)
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

async function entriesOf(directory: string): Promise<string[]> {
  try {
    return (await readdir(directory)).filter((name) => /\.sql$/i.test(name)).sort()
  } catch (error) {
    if (error instanceof Error && Reflect.get(error, 'code') === 'ENOENT') return []
    throw new AppError('precondition_failed', 'The folder of migrations cannot be read.', {
      hint: 'Check CATALYST_MIGRATIONS_DIR: it must be a folder that this server may read.',
      cause: error,
    })
  }
}

function nameOf(file: string, range: VersionRange): FileName | FileFault {
  const [, digits, name, part] = NAME.exec(file) ?? []
  if (!digits || !name || !part) {
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

/** Neither waits for the writer of a FIFO nor follows a link that takes the place of a file. */
const READ_FILE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

/**
 * The text of a script, with LF at the ends of its lines, or why there is none. Links are followed only
 * to files of the folder.
 */
export async function readText(
  path: string,
  folder: string | null = null,
): Promise<{ text: string } | { fault: string }> {
  const found = await lstat(path)
  if (!found.isSymbolicLink()) return readRegular(path)
  const target = await realpath(path).catch(() => null)
  if (target === null) return { fault: 'is a link to nothing' }
  const isInside = folder === null || target.startsWith(`${await realpath(folder)}${sep}`)
  return isInside ? readRegular(target) : { fault: 'is a link that leaves the folder' }
}

async function readRegular(path: string): Promise<{ text: string } | { fault: string }> {
  const found = await lstat(path)
  if (found.isDirectory()) return { fault: 'is a folder' }
  if (!found.isFile()) return { fault: 'is a device, a socket or a pipe' }
  const file = await open(path, READ_FILE)
  try {
    // What was looked at may have been exchanged since.
    const opened = await file.stat()
    if (!opened.isFile()) return { fault: 'is a device, a socket or a pipe' }
    if (opened.size > MAX_SCRIPT_BYTES) return { fault: `is larger than ${MAX_SCRIPT_BYTES} bytes` }
    const bytes = await file.readFile()
    if (bytes.length > MAX_SCRIPT_BYTES)
      return { fault: `is larger than ${MAX_SCRIPT_BYTES} bytes` }
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { text: text.replaceAll('\r\n', '\n') }
  } catch (error) {
    if (error instanceof TypeError) return { fault: 'is not UTF-8' }
    throw error
  } finally {
    await file.close()
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

const unusable = (file: string, fault: string) => ({
  message: `${file} ${fault}.`,
  nextStep:
    'Migrations are plain files of the folder, in UTF-8 and of at most 5 MB: put one there, divide a large one, and load data with COPY outside of migrations.',
})

const badDirective = (version: number, file: string, what: string): FileFault => ({
  version,
  file,
  message: `${file} has a header that cannot be read: ${what}.`,
  nextStep: 'Correct the header line; nothing of the file was run.',
})

const printable = (file: string): string =>
  JSON.stringify(file.slice(0, 100)).replaceAll(/[^\x20-\x7e]/g, '?')
