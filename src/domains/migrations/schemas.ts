import { z } from 'zod'
import { NEXT_CURSOR } from '../../lib/page.js'
import { nonEmptyText, text } from '../../lib/schemas.js'

/** Reports are never changed once they are made. */
const list = <T extends z.ZodType>(item: T) => z.array(item).readonly()

/** A version as a client names it; the ledger's is an `integer`. */
export const Version = z.int().min(0).max(2_147_483_647)

/** As much as a request may have: the service says how much may be written by whom. */
const MAX_SQL = 32 * 1024 * 1024

/** A migration that somebody wants to have written. */
export const CreateInput = z.object({
  name: z
    .string()
    .regex(/^[a-z0-9_]{1,80}$/, 'must be 1-80 of a-z, 0-9 and _, such as add_tags_to_trades')
    .describe('Of the file.'),
  up_sql: nonEmptyText(MAX_SQL).describe('What it does, in at most 256 kB.'),
  down_sql: text(MAX_SQL).describe('Empty: it cannot be undone.'),
  description: nonEmptyText(200)
    .regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters')
    .optional()
    .describe('One line.'),
})

/** A migration as somebody asks for it. */
export type CreateRequest = z.output<typeof CreateInput>

/** All that the linter says of a file. */
export const Lint = list(
  z.object({
    rule: z.string(),
    severity: z.enum(['error', 'block', 'warn', 'info']),
    statement: z.int(),
    line: z.int(),
    message: z.string(),
    lock: z.string().nullable(),
    blocks: z.string().nullable(),
    rewrite: z.string().nullable().describe('The safe way.'),
    docs: z.string().nullable(),
  }),
)

/** Versions of migrations. */
export const Versions = list(z.int())

/** What a run, or a dry run, did with each file. */
export const Results = list(
  z.object({
    version: z.int(),
    name: z.string(),
    status: z
      .enum(['applied', 'dry_run', 'planned'])
      .describe('planned: not run; reason says why.'),
    reason: z.string().nullable(),
    duration_ms: z.number().nullable(),
    statements: z.int(),
    statement_ms: list(z.number()),
    locks: list(z.object({ relation: z.string(), mode: z.string(), statement: z.int() }))
      .nullable()
      .describe('Null outside a transaction, where they cannot be seen.'),
    rewrites: list(z.object({ relation: z.string(), statement: z.int() })).nullable(),
    losses: list(z.string())
      .nullable()
      .describe('What a dry run lost: a run asks for it. Null where it was not measured.'),
    lint: Lint,
  }),
)

/** What a run, or a dry run, did with one file. */
export type Result = z.infer<typeof Results>[number]

/** Where the schema stands. */
export const Status = z.object({
  current_version: z.int(),
  pending_migrations: list(
    z.object({ version: z.int(), name: z.string(), description: z.string() }),
  ),
  problems: list(
    z.object({
      version: z.int().nullable(),
      name: z.string(),
      problem: z.enum([
        'checksum_mismatch',
        'missing_file',
        'out_of_order',
        'failed',
        'unusable_file',
      ]),
      message: z.string(),
      next_step: z.string(),
    }),
  ).describe('Nothing is mended by itself: each says what to do.'),
})

/** One thing that is wrong between files and database, and the exact next step. */
export type Problem = z.infer<typeof Status>['problems'][number]

const Entry = z.object({
  version: z.int(),
  name: z.string(),
  applied_at: z.string(),
  duration_ms: z.number(),
  direction: z.enum(['up', 'down', 'baseline', 'repair']),
  applied_by: z.string(),
  checksum: z.string().nullable(),
})

/** One entry of the append-only log. */
export type HistoryEntry = z.infer<typeof Entry>

/** A page of what was done to the schema. */
export const History = z.object({ migrations: list(Entry), next_cursor: NEXT_CURSOR })
