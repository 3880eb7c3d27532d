import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { lstat, open, readdir, realpath } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { AppError } from '../../errors.js'
import { MAX_SCRIPT_BYTES } from '../../platform/sql-parser/parse-script.js'
import { type Directives, readDirectives } from './directives.js'
import type { Problem } from './schemas.js'

/** One migration as its files on disk say it. */
export interface Migration {
  readonly version: number
  readonly name: string
  /** Name of the up script in its folder. */
  readonly file: string
  readonly directives: Directives
  readonly upSql: string
  /** Over LF-normalised text, so that a checkout with other line ends is the same migration. */
  readonly upSha256: string
  /** Null when the migration cannot be rolled back. */
  readonly downSql: string | null
}

/** The folders of migration files. */
export interface Folders {
  /** The product's own files, versions below 1000. */
  readonly builtInDir: string
  /** The operator's files, versions from 1000; null when only the product's own are to be run. */
  readonly operatorDir: string | null
}

/** What a folder has: what can be run, and what stands in the way. */
export interface MigrationFolder {
  readonly migrations: readonly Migration[]
  readonly faults: readonly Problem[]
}

/** The product's own versions end here; the ledger's is an `integer`. */
export const LAST_BUILT_IN = 999
const MAX_VERSION = 2_147_483_647

/** True for a migration of the product itself. */
export const isBuiltIn = ({ version }: { readonly version: number }): boolean =>
  version <= LAST_BUILT_IN

const NAME = /^(\d{1,10})_([a-z0-9_]{1,80})\.(up|down)\.sql$/

/** SHA-256 of a text in hexadecimal. */
export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')

/** Reads the folders, lowest version first; one that does not exist is empty. */
export async function readFolders({ builtInDir, operatorDir }: Folders): Promise<MigrationFolder> {
  const ours = await readFolder(builtInDir, 1, LAST_BUILT_IN)
  if (operatorDir === null) return ours
  const theirs = await readOperatorFolder(operatorDir)
  return {
    migrations: [...ours.migrations, ...theirs.migrations],
    faults: [...ours.faults, ...theirs.faults],
  }
}

/** The operator's folder alone. */
export const readOperatorFolder = (directory: string): Promise<MigrationFolder> =>
  readFolder(directory, LAST_BUILT_IN + 1, MAX_VERSION)

/** @throws AppError `precondition_failed` when the folder cannot be read */
async function readFolder(
  directory: string,
  first: number,
  last: number,
): Promise<MigrationFolder> {
  const faults: Problem[] = []
  const named = (await entriesOf(directory)).flatMap((entry): FileName[] => {
    const [, digits, name, part] = NAME.exec(entry) ?? []
    const version = Number(digits)
    if (!name || !part) faults.push(misnamed(entry))
    else if (version >= first && version <= last) return [{ file: entry, version, name, part }]
    else {
      const message = `${entry} has a version outside of ${first} to ${last}.`
      faults.push(fault(entry, version, message, OUTSIDE))
    }
    return []
  })
  const texts = new Map<string, string>()
  for (const { file, version } of named) {
    const read = await readText(join(directory, file), directory)
    if ('fault' in read) faults.push(fault(file, version, `${file} ${read.fault}.`, UNUSABLE))
    else texts.set(file, read.text)
  }
  const ups = named.filter(({ part, file }) => part === 'up' && texts.has(file))
  for (const [at, { file, version }] of ups.entries()) {
    if (ups.findIndex((other) => other.version === version) === at) continue
    const next = `Give ${file} and its down script the next free version.`
    faults.push(fault(file, version, `Two migrations have version ${version}.`, next))
  }
  for (const { file, version, part } of named) {
    const up = file.replace(/down\.sql$/, 'up.sql')
    if (part === 'up' || named.some((other) => other.file === up)) continue
    faults.push(fault(file, version, `${file} has no .up.sql beside it.`, ORPHAN))
  }
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
    if (Reflect.get(Object(error), 'code') === 'ENOENT') return []
    throw new AppError('precondition_failed', 'The folder of migrations cannot be read.', {
      hint: 'Check CATALYST_MIGRATIONS_DIR: it must be a folder that this server may read.',
      cause: error,
    })
  }
}

function migrationOf(
  { file, version, name }: FileName,
  texts: ReadonlyMap<string, string>,
  faults: Problem[],
): Migration {
  const down = file.replace(/up\.sql$/, 'down.sql')
  const [upSql = '', downSql = null] = [texts.get(file), texts.get(down)]
  const read = (of: string, text: string): Directives => {
    const wrong: string[] = []
    const directives = readDirectives(text, wrong)
    for (const what of wrong) {
      const message = `${of} has a header that cannot be read: ${what}.`
      faults.push(fault(of, version, message, BAD_HEADER))
    }
    return directives
  }
  const directives = read(file, upSql)
  read(down, downSql ?? '')
  return {
    version,
    name,
    file,
    directives,
    upSql,
    upSha256: sha256(upSql),
    downSql: directives.irreversible === null ? downSql : null,
  }
}

/** Neither waits for the writer of a FIFO nor follows a link that takes the place of a file. */
const READ_FILE = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0) | (constants.O_NOFOLLOW ?? 0)

type Text = { readonly text: string } | { readonly fault: string }

/**
 * The text of a script, with LF at the ends of its lines, or why there is none. Links are followed only
 * to files of the folder.
 */
export async function readText(path: string, folder: string | null = null): Promise<Text> {
  const found = await lstat(path)
  if (!found.isSymbolicLink()) return readRegular(path)
  const target = await realpath(path).catch(() => null)
  if (target === null) return { fault: 'is a link to nothing' }
  const isInside = folder === null || target.startsWith(`${await realpath(folder)}${sep}`)
  return isInside ? readRegular(target) : { fault: 'is a link that leaves the folder' }
}

const NO_FILE = { fault: 'is a device, a socket or a pipe' }
const TOO_LARGE = { fault: `is larger than ${MAX_SCRIPT_BYTES} bytes` }

async function readRegular(path: string): Promise<Text> {
  const found = await lstat(path)
  if (found.isDirectory()) return { fault: 'is a folder' }
  if (!found.isFile()) return NO_FILE
  const file = await open(path, READ_FILE)
  try {
    // What was looked at may have been exchanged since.
    const opened = await file.stat()
    if (!opened.isFile()) return NO_FILE
    if (opened.size > MAX_SCRIPT_BYTES) return TOO_LARGE
    const bytes = await file.readFile()
    if (bytes.length > MAX_SCRIPT_BYTES) return TOO_LARGE
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { text: text.replaceAll('\r\n', '\n') }
  } catch (error) {
    if (error instanceof TypeError) return { fault: 'is not UTF-8' }
    throw error
  } finally {
    await file.close()
  }
}

const fault = (
  file: string,
  version: number | null,
  message: string,
  next_step: string,
): Problem => ({ version, name: file, problem: 'unusable_file', message, next_step })

const OUTSIDE = `Rename it: versions below ${LAST_BUILT_IN + 1} belong to catalyst-db, yours begin there.`
const UNUSABLE =
  'Migrations are plain files of the folder, in UTF-8 and of at most 5 MB: put one there, divide a large one, and load data with COPY outside of migrations.'
/** It is half of what somebody wanted to write, or the rest of what was deleted. */
const ORPHAN = 'Add the .up.sql of the same name, or delete this file.'
const BAD_HEADER = 'Correct the header line; nothing of the file was run.'

function misnamed(file: string): Problem {
  const shown = JSON.stringify(file.slice(0, 100)).replaceAll(/[^\x20-\x7e]/g, '?')
  return fault(
    shown,
    null,
    `${shown} looks like a migration but is not named like one.`,
    'Name it <version>_<name>.up.sql or .down.sql, the name of a-z, 0-9 and _ (up to 80); or move it out of the folder.',
  )
}
