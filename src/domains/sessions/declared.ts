import { z } from 'zod'
import { declare, event } from '../../kernel/declare.js'

/** What sessions declare. */
export const sessions = declare({
  settings: {
    CATALYST_SESSION_IDLE_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .max(3_600)
      .default(300)
      .describe('A database session that nobody uses for so long is rolled back.'),
    CATALYST_SESSION_MAX_SECONDS: z.coerce
      .number()
      .int()
      .min(1)
      .max(86_400)
      .default(900)
      .describe('A database session is rolled back at this age, used or not.'),
  },
  events: {
    'db.session.expired': event(
      'warning',
      'A database session passed its time limit; what it had not committed was rolled back.',
      z.object({
        session_id: z.string(),
        limit: z.enum(['idle', 'absolute']),
        transaction_rolled_back: z.boolean(),
      }),
    ),
  },
})
