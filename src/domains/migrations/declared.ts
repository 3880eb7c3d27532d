import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'
import { refs } from '../../lib/refs.js'
import { secretUrl } from '../../lib/secret-url.js'

/** What may be done to the schema. */
const MIGRATIONS = z.strictObject({
  destructive: z
    .enum(['confirm', 'refuse_when_open', 'refuse'])
    .default('confirm')
    .describe('Rollbacks, and migrations that lose data or make others wait.'),
})

/** What migrations declare. */
export const migrations = declare({
  settings: {
    CATALYST_MIGRATOR_URL: secretUrl('postgres', 'postgresql').describe(
      'The same database as a role that owns only what migrations over MCP may change. Default: catalyst_migrator, made by the role of DATABASE_URL where that may create roles.',
    ),
    CATALYST_MIGRATIONS_DIR: z
      .string()
      .min(1)
      .optional()
      .describe('Migration files of your own. Default: "migrations" in CATALYST_DATA_DIR.'),
  },
  policy: {
    migrations: MIGRATIONS,
  },
  events: {
    'migration.applied': event(
      'info',
      'A migration was applied, rolled back, or only recorded.',
      z.object({
        version: z.int(),
        name: z.string(),
        direction: z.enum(['up', 'down', 'baseline', 'repair']),
        duration_ms: z.number(),
        /** A principal, `cli` or `server start`. */
        by: z.string(),
        refs: refs(),
      }),
    ),
    'db.schema.changed': event(
      'info',
      'A migration changed the schema.',
      z.object({
        version: z.int(),
        /** What its statements name: tables, views, types, functions. */
        objects: z.array(z.string()),
        refs: refs(),
      }),
    ),
  },
})
