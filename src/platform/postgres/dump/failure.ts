import { AppError } from '../../../errors.js'

/** What pg_dump says names objects of the schema, so it goes to the log and not to clients. */
export const dumpFailed = (said: string): AppError =>
  new AppError('unavailable', 'pg_dump could not read the schema.', {
    hint: 'It needs the right to lock every table of the database for reading. The log of this server has what it said.',
    retryable: false,
    cause: new Error(said),
  })
