import { readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { hasCode } from '../../lib/system-error.js'

/**
 * Writes a small record as the target of a symbolic link: it appears with its whole content or not
 * at all, however the writer dies, and only one of several writers gets the name.
 *
 * @returns false when the name is taken
 */
export function createRecord(path: string, content: string): boolean {
  try {
    symlinkSync(content, path)
    return true
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
}

/** The content of a record, null when there is none of that name. */
export function readRecord(path: string): string | null {
  try {
    return readlinkSync(path)
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null
    throw error
  }
}

/** Removes a record; it may be gone already. */
export const removeRecord = (path: string): void => rmSync(path, { force: true })
