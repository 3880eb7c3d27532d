import { z } from 'zod'
import { jobToolFor, toolFor } from '../../mcp/define.js'
import type { MigrationOperations } from './operations.service.js'
import { CreateInput, Lint, Results, Version, Versions } from './schemas.js'

const tool = toolFor<MigrationOperations>()
const job = jobToolFor<MigrationOperations>()

/** Each file is applied or undone exactly once, so a run that was cut off may simply be run again. */
const facts = {
  effect: 'destroy',
  grant: 'db:migrate',
  idempotent: true,
  openWorld: false,
  onRestart: 'resume',
  lane: 'interactive',
} as const

export const runMigrations = job({
  ...facts,
  name: 'run_migrations',
  title: 'Apply migrations',
  description:
    'Applies the pending migration files in order, each exactly once, up to target_version or all. What loses data or makes others wait must be confirmed. dry_run runs them and rolls back, to tell locks, rewrites and times; the locks are real until then. Read catalyst://db/migrations/status before, db/migrations/history after.',
  input: z.object({
    target_version: Version.optional().describe('The last one.'),
    dry_run: z.boolean().default(false).describe('Only try.'),
  }),
  output: z.object({
    migrations_applied: Results,
    new_version: z.int(),
    note: z.string().nullable().describe('What a dry run could not take back.'),
  }),
  confirm: ({ target_version = null, dry_run }, { service, signal }) =>
    service.askUp({ target: target_version, dry_run }, signal),
  run: ({ target_version = null, dry_run }, { service, ...call }) =>
    service.up({ target: target_version, dry_run }, call),
})

export const rollbackMigration = job({
  ...facts,
  name: 'rollback_migration',
  title: 'Undo migrations',
  description:
    'Undoes every migration above target_version, the newest first, with the down scripts stored when they were applied. What they added is lost, so it must be confirmed. Refused where one cannot be undone, and for those of the product itself.',
  input: z.object({ target_version: Version.describe('The version that stays.') }),
  output: z.object({ rolled_back: Versions, current_version: z.int() }),
  confirm: ({ target_version }, { service, ...call }) =>
    service.askRollback({ target: target_version }, call),
  run: ({ target_version }, { service, ...call }) =>
    service.rollback({ target: target_version }, call),
})

export const createMigration = tool({
  name: 'create_migration',
  title: 'Write a migration',
  description:
    'Writes a migration file under the next free version, its down script beside it; runs nothing. SQL that could never run is refused, the rest linted. up_sql may begin with "-- transaction: none" (CREATE INDEX CONCURRENTLY needs it) or "-- statement_timeout: 10min". Then run_migrations with dry_run.',
  effect: 'write',
  grant: 'db:migrate',
  idempotent: false,
  openWorld: false,
  input: CreateInput,
  output: z.object({
    migration_file: z.string(),
    version: z.int(),
    lint: Lint.describe('Lines are those of the file.'),
  }),
  run: (request, { service, signal }) => service.create(request, 'client', signal),
})
