import { z } from 'zod'
import { text } from '../../lib/schemas.js'
import { resourceFor } from '../../mcp/define.js'
import type { QueryService } from './query.service.js'

const resource = resourceFor<QueryService>()

const outline = {
  name: z.string(),
  kind: z.string(),
  rows: z.number().nullable(),
  comment: z.string().nullable(),
  primary_key: z.array(z.string()),
  references: z.array(z.string()),
}

const list = z.array(z.looseObject({}))

export const schema = resource({
  path: 'db/schema',
  title: 'Tables and columns',
  description:
    'What query_database can ask: every table and view, the most used first, with estimated rows, primary key and what it references. With table=schema.name its columns, keys, indexes and their use, triggers, partitions and size.',
  input: z.object({ table: text(130).optional().describe('As in catalyst.news_articles.') }),
  output: z.union([
    z.object({
      tables: z.array(z.object(outline)),
      not_listed: z.int().describe('Tables that did not fit: name them.'),
    }),
    z.object({
      ...outline,
      size_bytes: z.number().nullable(),
      columns: list,
      keys: list,
      referenced_by: z.array(z.string()),
      indexes: list,
      triggers: list,
      partitions: list,
      definition: z.string().nullable(),
    }),
  ]),
  refreshedBy: ['db.schema.changed'],
  read: ({ table }, { service }) => service.schema.read(table),
})
