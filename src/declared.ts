import { assistant } from './domains/assistant/declared.js'
import { backups } from './domains/backups/declared.js'
import { cache } from './domains/cache/declared.js'
import { explore } from './domains/explore/declared.js'
import { jobs } from './domains/jobs/declared.js'
import { migrations } from './domains/migrations/declared.js'
import { monitoring } from './domains/monitoring/declared.js'
import { sessions } from './domains/sessions/declared.js'
import { sync } from './domains/sync/declared.js'
import { trading } from './domains/trading/declared.js'
import { server } from './kernel/declared.js'

/** What the server and its parts declare: one entry for each that has settings, policy or events. */
export const DECLARED = [
  server,
  sessions,
  jobs,
  cache,
  migrations,
  trading,
  sync,
  backups,
  monitoring,
  assistant,
  explore,
]
