import { pino } from 'pino'
import type { Config } from '../config.js'
import { shown } from '../lib/terminal-text.js'

/** The process's log: JSON lines on stderr, for stdout belongs to the protocol on stdio. */
export type Log = ReturnType<typeof createLog>

/**
 * Makes the log. Lines about a call are given its reference id by who writes them: a context that
 * follows the call by itself (AsyncLocalStorage) costs Node 20 a tenth of the processor. What a terminal
 * would obey is escaped.
 */
export const createLog = (level: Config['LOG_LEVEL']) =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['*.password', '*.connectionString'], censor: '[redacted]' },
    },
    { write: (line: string) => void stderr.write(shown(line)) },
  )

const stderr = pino.destination({ dest: 2, sync: true })
