import { z } from 'zod'

/** What a full backup says of the database that it holds; it names tables, so it is kept like the data. */
export const CATALOG = z.object({
  format: z.literal('cdb-catalog/1'),
  tables: z.array(
    z.object({
      oid: z.int(),
      schema: z.string(),
      name: z.string(),
      /** In the order in which their values are stored. */
      columns: z.array(z.string()),
      is_binary: z.boolean(),
      is_unlogged: z.boolean(),
      has_identity: z.boolean(),
      /** The partitioned tables above it, quoted. */
      parents: z.array(z.string()),
      rows: z.int(),
    }),
  ),
  sequences: z.array(
    z.object({
      schema: z.string(),
      name: z.string(),
      /** Null before the first value. */
      last_value: z.string().nullable(),
      increment_by: z.string(),
      owner: z.object({ schema: z.string(), table: z.string(), column: z.string() }).nullable(),
    }),
  ),
  extensions: z.array(z.string()),
  /** Who owns or was granted something. */
  roles: z.array(z.string()),
  bytes: z.int(),
  schema_fingerprint: z.string(),
})

/** What a full backup says of its database. */
export type Catalog = z.infer<typeof CATALOG>
