import { pino } from 'pino'
import type { Config } from '../config.js'
import { currentRequest } from '../lib/request-context.js'

/** The process's log: JSON lines on stderr, for stdout belongs to the protocol on stdio. */
export type Log = ReturnType<typeof createLog>

/** Makes the log; every line written during a request carries its reference id. */
export const createLog = (level: Config['LOG_LEVEL']) =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      mixin: () => currentRequest() ?? {},
      redact: { paths: ['*.password', '*.connectionString'], censor: '[redacted]' },
    },
    pino.destination({ dest: 2, sync: true }),
  )
