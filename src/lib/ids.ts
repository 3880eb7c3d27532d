import { randomBytes } from 'node:crypto'

/** A new unguessable id such as `sess_9f…`: the prefix names the kind, 128 random bits follow. */
export const newId = (prefix: string): string => `${prefix}_${randomBytes(16).toString('hex')}`
