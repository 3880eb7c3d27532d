import { mkdirSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/**
 * Makes a folder and those above it that are missing, each with this mode. Node's own recursive mkdir says
 * ENOENT on a read-only file system, and never returns where a file system takes no folders, such as /proc.
 *
 * @throws the system error of the first folder that cannot be made
 */
export function makeFolders(path: string, mode: number): void {
  const missing: string[] = []
  let at = resolve(path)
  for (; !exists(at); at = dirname(at)) missing.unshift(at)
  for (const folder of missing) makeFolder(folder, mode)
  // A file of that name is only noticed here.
  if (missing.length === 0) makeFolder(at, mode)
}

/** Somebody else may make it at the same time. */
function makeFolder(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode })
  } catch (error) {
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined
