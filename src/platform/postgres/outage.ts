import { AppError, type ErrorCode } from '../../errors.js'
import type { Warnings } from '../../lib/outage.js'
import { SharedOutage } from '../../lib/shared-outage.js'
import { translate } from './errors.js'
import { isDiskFull } from './room.js'

/** Codes of failures that everything meets which works with PostgreSQL. */
const SHARED: readonly ErrorCode[] = ['unavailable', 'session_lost', 'outcome_unknown']

/** The one outage of PostgreSQL that every part of a server shares. */
export const databaseOutage = (log: Warnings): SharedOutage =>
  new SharedOutage({
    log,
    name: 'the database',
    judge: (failure) => {
      const error = translate(failure)
      if (!(error instanceof AppError)) return { error, isShared: false, level: 'error' }
      // Of what does not pass by itself somebody has to know.
      const level = error.retryable && !isDiskFull(error) ? 'warn' : 'error'
      return { error, isShared: SHARED.includes(error.code), level }
    },
  })
