import type { Job } from '../../lib/job.js'
import { ref } from '../../lib/refs.js'
import type { JobQueue } from '../../platform/jobs/job-queue.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import { Statement } from '../../platform/postgres/sql.js'
import { auditConfirmed } from './sql.js'

/** Announces a job in the transaction that makes it wait, so that there is never one without the other. */
export const announce = (
  queue: JobQueue,
  tx: Transaction,
  { job_id, tool }: Pick<Job, 'job_id' | 'tool'>,
): Promise<void> =>
  queue.announce(
    { job_id, tool },
    {
      executeSql: async (text, values = []) => ({
        rows: await tx.many(new Statement(text, values)),
      }),
    },
  )

/**
 * Reports the end of a job in the transaction that ends it, also to the audit when it was confirmed; of
 * one that has not ended, nothing.
 */
export async function reportEnd(
  tx: Transaction,
  { job_id, tool, state }: Pick<Job, 'job_id' | 'tool' | 'state'>,
): Promise<void> {
  if (state === 'queued' || state === 'running') return
  await tx.run(auditConfirmed(job_id))
  await tx.emit('job.finished', { job_id, tool, state, refs: [ref('job', job_id)] })
}
