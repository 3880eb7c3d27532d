import { createHash, randomBytes } from 'node:crypto'

/** A new unguessable id such as `sess_9f…`: the prefix names the kind, 128 random bits follow. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('hex')}`

/** What may be told of a handle to those who must not be able to use it: its owner can compare. */
export const shownHandle = (handle: string): string =>
  `${handle.split('_')[0]}#${createHash('sha256').update(handle).digest('hex').slice(0, 12)}`
