import { createHash, randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  access,
  link,
  open,
  readdir,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
  writeFile,
} from 'node:fs/promises'
import { dirname, join, sep } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { AppError, abortError } from '../../errors.js'
import { makeFolders } from '../../lib/folders.js'
import { hasCode } from '../../lib/system-error.js'
import {
  checkKey,
  type ObjectInfo,
  ObjectMissing,
  type ObjectStore,
  type Removal,
} from './store.js'

/** Where objects are while they are written; no key begins with a dot. */
const UNFINISHED = '.unfinished'

/** Who keeps it from being removed: rights, an attribute, a file system that is only read. */
const KEPT = ['EPERM', 'EACCES', 'EROFS'] as const
const NO_LINKS = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'] as const

/** Objects as files: written aside, made durable, and only then given their name. */
export class DirectoryStore implements ObjectStore {
  readonly location: string
  readonly #root: string
  /** Folders that are known to be there, durably. */
  readonly #folders = new Set<string>()

  /** @param url `file:///directory` */
  constructor(url: string) {
    this.#root = fileURLToPath(url)
    this.location = url
  }

  locationOf(key: string): string {
    return `${this.location.replace(/\/$/, '')}/${key}`
  }

  async put(
    key: string,
    body: Readable | Uint8Array,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<{ readonly bytes: number }> {
    const target = this.#path(key)
    const aside = join(this.#root, UNFINISHED, randomBytes(12).toString('hex'))
    try {
      await this.#folder(dirname(aside))
      const bytes = await write(aside, body, signal)
      await this.#name(aside, target, key)
      return { bytes }
    } catch (error) {
      if (signal?.aborted) throw abortError(signal)
      // Somebody has taken a folder away: the next one makes it again.
      if (hasCode(error, 'ENOENT')) this.#folders.clear()
      throw this.#translated(error, 'write to')
    } finally {
      await rm(aside, { force: true })
    }
  }

  async get(
    key: string,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<Readable> {
    try {
      const file = await open(this.#path(key))
      if ((await file.stat()).isFile()) return file.createReadStream({ signal })
      await file.close()
      throw new ObjectMissing(key, this.locationOf(key))
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) throw new ObjectMissing(key, this.locationOf(key))
      throw this.#translated(error, 'read from')
    }
  }

  async head(key: string): Promise<ObjectInfo | null> {
    try {
      const found = await stat(this.#path(key))
      return found.isFile() ? { key, bytes: found.size, modifiedAt: found.mtime } : null
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return null
      throw this.#translated(error, 'read from')
    }
  }

  list(
    prefix: string,
    { after = '' }: { readonly after?: string } = {},
  ): AsyncIterable<ObjectInfo> {
    return this.#walk(prefix.slice(0, prefix.lastIndexOf('/') + 1), { prefix, after })
  }

  async remove(key: string): Promise<Removal> {
    const path = this.#path(key)
    // A folder is no object; systems say different things of one that is to be unlinked.
    if (!(await this.head(key))) return 'missing'
    try {
      await unlink(path)
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return 'missing'
      if (hasCode(error, ...KEPT)) return 'retained'
      throw this.#translated(error, 'remove from')
    }
    await this.#removeEmpty(dirname(path))
    return 'removed'
  }

  async abandonUploads(before: Date): Promise<number> {
    let abandoned = 0
    const folder = join(this.#root, UNFINISHED)
    for (const name of await readdir(folder).catch(() => [])) {
      const found = await stat(join(folder, name)).catch(() => null)
      if (!found || found.mtime >= before) continue
      await rm(join(folder, name), { force: true })
      abandoned += 1
    }
    return abandoned
  }

  async check(): Promise<void> {
    let folder = this.#root
    try {
      for (;;) {
        const found = await stat(folder).catch((error: unknown) => {
          if (hasCode(error, 'ENOENT')) return null
          throw error
        })
        // What is missing is made with the first object.
        if (found) break
        folder = dirname(folder)
      }
      await access(folder, constants.R_OK | constants.W_OK | constants.X_OK)
      await readdir(folder)
    } catch (error) {
      throw this.#translated(error, 'use')
    }
  }

  close(): void {}

  #path(key: string): string {
    return join(this.#root, ...checkKey(key).split('/'))
  }

  /** Gives a file its name, unless something has it. */
  async #name(aside: string, target: string, key: string): Promise<void> {
    await this.#folder(dirname(target))
    try {
      await link(aside, target)
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return this.#compare(aside, target, key)
      if (hasCode(error, 'ENOENT') && this.#folders.delete(dirname(target))) {
        // Another process has removed the folder, for it was empty.
        return this.#name(aside, target, key)
      }
      if (!hasCode(error, ...NO_LINKS)) throw error
      if (await this.head(key)) return this.#compare(aside, target, key)
      await rename(aside, target)
    }
    await sync(dirname(target))
  }

  async #compare(aside: string, target: string, key: string): Promise<void> {
    if ((await sumOf(aside)) === (await sumOf(target))) return
    throw new AppError('conflict', `There is another object already at ${this.locationOf(key)}.`)
  }

  /** Makes a folder that a power failure does not take away. */
  async #folder(path: string): Promise<void> {
    if (this.#folders.has(path)) return
    makeFolders(path, 0o700)
    for (let at = path; at.length > this.#root.length; at = dirname(at)) await sync(at)
    await sync(this.#root)
    this.#folders.add(path)
  }

  async #removeEmpty(folder: string): Promise<void> {
    for (let at = folder; at.startsWith(`${this.#root}${sep}`); at = dirname(at)) {
      const isEmpty = await rmdir(at).then(
        () => true,
        () => false,
      )
      if (!isEmpty) return
      this.#folders.delete(at)
    }
  }

  async *#walk(
    folder: string,
    look: { readonly prefix: string; readonly after: string },
  ): AsyncIterable<ObjectInfo> {
    const { prefix, after } = look
    for (const key of await this.#entries(folder)) {
      if (key.endsWith('/')) {
        const isWithin = key.startsWith(prefix) || prefix.startsWith(key)
        if (isWithin && (after < key || after.startsWith(key))) yield* this.#walk(key, look)
      } else if (key.startsWith(prefix) && key > after) {
        const info = await this.head(key)
        if (info) yield info
      }
    }
  }

  /** Keys and, with a slash behind, folders of a folder, in the order of the keys. */
  async #entries(folder: string): Promise<string[]> {
    try {
      const entries = await readdir(join(this.#root, ...folder.split('/')), { withFileTypes: true })
      return entries
        .filter(({ name }) => /^[A-Za-z0-9_]/.test(name))
        .map((entry) => `${folder}${entry.name}${entry.isDirectory() ? '/' : ''}`)
        .sort((a, b) => (a < b ? -1 : 1))
    } catch (error) {
      if (hasCode(error, 'ENOENT', 'ENOTDIR')) return []
      throw this.#translated(error, 'read from')
    }
  }

  #translated(error: unknown, doing: string): unknown {
    if (!(error instanceof Error) || !('code' in error) || error instanceof AppError) return error
    const message = `The object store ${this.location} cannot be used: ${reasonOf(error, doing)}.`
    return new AppError('unavailable', message, {
      hint: 'Mend the directory, or name another in CATALYST_OBJECT_STORE.',
      cause: error,
    })
  }
}

function reasonOf(error: unknown, doing: string): string {
  if (hasCode(error, 'ENOSPC', 'EDQUOT')) return 'there is no room left'
  if (hasCode(error, 'EROFS')) return 'its file system is only read'
  if (hasCode(error, 'EACCES', 'EPERM')) return `this user may not ${doing} it`
  if (hasCode(error, 'ENOTDIR', 'EEXIST')) return 'there is a file where its folder should be'
  return `the system refuses to ${doing} it`
}

async function write(
  path: string,
  body: Readable | Uint8Array,
  signal: AbortSignal | undefined,
): Promise<number> {
  const file = await open(path, 'wx', 0o600)
  try {
    await writeFile(file, body, { signal })
    await file.sync()
    return (await file.stat()).size
  } finally {
    await file.close()
  }
}

async function sync(folder: string): Promise<void> {
  // Windows opens no folder, and needs none to be synchronised.
  if (process.platform === 'win32') return
  const handle = await open(folder)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sumOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  const file = await open(path)
  for await (const chunk of file.createReadStream()) hash.update(chunk)
  return hash.digest('hex')
}
