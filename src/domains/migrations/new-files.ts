import { link, mkdir, open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AppError } from '../../errors.js'
import { makeFolders } from '../../lib/folders.js'

/** The text of a migration that has no version yet. */
export interface NewMigration {
  readonly name: string
  readonly up: string
  /** Null when it cannot be undone. */
  readonly down: string | null
}

/** A migration's files as they lie in the folder. */
export interface WrittenMigration {
  readonly version: number
  readonly up_file: string
  readonly down_file: string | null
}

/** The ledger's version is an `integer`. */
const MAX_VERSION = 2_147_483_647

/**
 * Writes a migration under the lowest version above `highest` and above every file of the folder.
 * Several may write at once: each version has one claim, a folder that holds the files until they
 * are complete. The up file gets its name last, because it alone can be run.
 *
 * @throws AppError `precondition_failed` when the folder cannot be written
 */
export async function writeMigration(
  directory: string,
  highest: number,
  migration: NewMigration,
): Promise<WrittenMigration> {
  try {
    makeFolders(directory, 0o755)
    const versions = await versionsIn(directory)
    for (let version = Math.max(highest, ...versions) + 1; ; version++) {
      if (version > MAX_VERSION) throw noVersionLeft(directory)
      const written = await writeAs(directory, version, migration)
      if (written) return written
    }
  } catch (error) {
    throw error instanceof AppError ? error : notWritable(directory, error)
  }
}

/** Null when somebody else has or had the version. */
async function writeAs(
  directory: string,
  version: number,
  { name, up, down }: NewMigration,
): Promise<WrittenMigration | null> {
  const claim = join(directory, `.${version}.new`)
  if (!(await claimed(claim))) return null
  try {
    // Who had the claim before may have finished since the folder was read.
    if ((await versionsIn(directory)).includes(version)) return null
    const stem = `${version}_${name}`
    await writeDurably(join(claim, 'up'), up)
    if (down !== null) {
      await writeDurably(join(claim, 'down'), down)
      await link(join(claim, 'down'), join(directory, `${stem}.down.sql`))
    }
    await link(join(claim, 'up'), join(directory, `${stem}.up.sql`))
    return {
      version,
      up_file: join(directory, `${stem}.up.sql`),
      down_file: down === null ? null : join(directory, `${stem}.down.sql`),
    }
  } finally {
    await rm(claim, { recursive: true, force: true })
  }
}

async function claimed(claim: string): Promise<boolean> {
  try {
    await mkdir(claim)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

const versionsIn = async (directory: string): Promise<number[]> =>
  (await readdir(directory)).flatMap((file) => {
    const [, version] = /^(\d+)_/.exec(file) ?? []
    return version === undefined ? [] : [Number(version)]
  })

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o644)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
}

const codeOf = (error: unknown): string | null =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null

function notWritable(directory: string, error: unknown): unknown {
  const code = codeOf(error)
  if (code === null) return error
  return new AppError('precondition_failed', `The migration could not be written (${code}).`, {
    hint: `Nothing can be run of it. Let the server write in ${directory}, or set CATALYST_MIGRATIONS_DIR to a folder where it can.`,
    cause: error,
  })
}

const noVersionLeft = (directory: string): AppError =>
  new AppError('precondition_failed', 'There is no higher version left for a new migration.', {
    hint: `Rename the file with the highest version in ${directory}: versions count up from 1000.`,
  })
