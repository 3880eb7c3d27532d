import { z } from 'zod'
import { identifier } from '../../lib/schemas.js'

/** Values of $1, $2, …: lists are arrays of PostgreSQL, objects are JSON. */
export const Params = z
  .array(z.unknown().describe('A value.'))
  .max(100)
  .optional()
  .describe('Of $1, $2, ….')

/** A database that was restored beside this one. */
export const RestoreId = identifier(64).optional().describe('Of a restored database.')

/** Rows as lists, in the order of the columns. */
export const ExactRows = z.array(z.array(z.unknown()))
