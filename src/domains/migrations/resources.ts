import { z } from 'zod'
import { pageParameters } from '../../lib/page.js'
import { resourceFor } from '../../mcp/define.js'
import type { MigrationOperations } from './operations.service.js'
import { History, Status } from './schemas.js'

const resource = resourceFor<MigrationOperations>()

export const migrationStatus = resource({
  path: 'db/migrations/status',
  title: 'Where the schema stands',
  description:
    'The applied version, the pending migration files in the order they will run, and what is wrong between files and database, each with the exact next step. Files below 1000 are of the product, the others of whoever runs it.',
  input: z.object({}),
  output: Status,
  refreshedBy: ['migration.applied'],
  read: (_, { service }) => service.status(),
})

export const migrationHistory = resource({
  path: 'db/migrations/history',
  title: 'What was done to the schema',
  description:
    'Every migration that was applied, rolled back, noted by baseline or repaired, the newest first: by whom, when, how long it took, and the SHA-256 of its file. Nothing is ever removed from it.',
  input: z.object(pageParameters(['bigint'])),
  output: History,
  refreshedBy: ['migration.applied'],
  read: (query, { service }) => service.history(query),
})
