import type { Job } from '../../lib/job.js'
import { ref } from '../../lib/refs.js'
import type { Transaction } from '../../platform/postgres/queryable.js'
import { auditConfirmed, notify, WAITING } from './sql.js'

/**
 * Says in the transaction that makes a job wait that it does, to every server, and in the one that ends
 * it that it has ended, also to the audit when it was confirmed.
 */
export async function report(
  tx: Transaction,
  { job_id, tool, state }: Pick<Job, 'job_id' | 'tool' | 'state'>,
): Promise<void> {
  if (state === 'running') return
  if (state === 'queued') {
    await tx.one(notify(WAITING, job_id))
    return
  }
  await tx.run(auditConfirmed(job_id))
  await tx.emit('job.finished', { job_id, tool, state, refs: [ref('job', job_id)] })
}
