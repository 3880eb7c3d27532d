import { z } from 'zod'
import { text } from '../../lib/schemas.js'

/** The id of a backup: the server's time, F or I, 24 random bits. */
export const backupId = () =>
  z
    .string()
    .regex(
      /^\d{8}T\d{6}Z-[FI]-[0-9a-f]{6}$/,
      'must be the id of a backup, such as 20261122T074942Z-F-7f3a91: catalyst://db/backups/history lists them',
    )
    .describe('From db/backups/history.')

/** The id of a restore, as restore_backup answered it. */
export const restoreId = () =>
  z
    .string()
    .regex(
      /^rst_[0-9a-f]{12}$/,
      'must be the id of a restore: catalyst://db/backups/restores lists them',
    )
    .describe('From db/backups/restores.')

export const backupType = () => z.enum(['full', 'incremental'])

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_$]{0,62}$/

/** A table by its name; of the product's own schema without one. */
export const tableName = () =>
  z
    .string()
    .max(127)
    .transform((text, context) => {
      const parts = text.split('.')
      const [schema, name] = parts.length === 1 ? ['catalyst', ...parts] : parts
      if (parts.length <= 2 && schema && name && IDENTIFIER.test(schema) && IDENTIFIER.test(name)) {
        return { schema, name }
      }
      const message = 'must be table or schema.table, of letters, digits, _ and $'
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .describe('As it was called then: schema.table, or one of catalyst.')

const KEY = z
  .record(
    z.string().regex(IDENTIFIER, 'must be the name of a column'),
    z.union([text(1_000), z.number(), z.boolean()]),
  )
  .refine((key) => Object.keys(key).length > 0, 'must name at least one column')
  .refine((key) => Object.keys(key).length <= 32, 'must name at most 32 columns')

/** A row by the columns of its key, as JSON. Large numbers are given as texts. */
export const rowKey = () =>
  z
    .string()
    .max(4_000)
    .transform((json, context) => {
      const parsed = KEY.safeParse(parseJson(json))
      if (parsed.success) return parsed.data
      const [issue] = parsed.error.issues
      const message = `must be a JSON object of the key's columns, such as {"trade_id": 7}: ${issue?.message ?? ''}`
      context.addIssue({ code: 'custom', message })
      return z.NEVER
    })
    .describe('JSON object of the columns of its key, such as {"trade_id": 7}.')

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}
