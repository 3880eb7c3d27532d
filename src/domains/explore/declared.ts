import { z } from 'zod'
import { declare } from '../../kernel/declare.js'
import { secretUrl } from '../../lib/secret-url.js'

/** What queries may do beside reading tables. */
const QUERY = z.strictObject({
  allow_functions: z
    .array(z.string().min(3).max(500))
    .default([])
    .describe(
      'Functions beside those of PostgreSQL that queries may call, by signature, as in public.similarity(text,text). They must only compute.',
    ),
})

/** What queries declare. */
export const explore = declare({
  settings: {
    CATALYST_READER_URL: secretUrl('postgres', 'postgresql').describe(
      'The same database as a role that only reads; query_database and analyze_query run as it. Default: catalyst_reader, made by the role of DATABASE_URL where that may create roles.',
    ),
  },
  policy: { query: QUERY },
})
