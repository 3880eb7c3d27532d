import { expect, test } from 'vitest'
import { newId } from '../../src/lib/ids.js'
import { startApp } from '../support/app.js'
import { Bench, benchPart } from './bench.js'

const bench = new Bench()
const app = await startApp({ parts: [benchPart(bench)] })

test('the job of another principal does not exist, and cannot be stopped', async () => {
  bench.open('mine')
  await app.client.tool('run_held', { label: 'mine', idempotency_key: 'shared' })
  const [mine] = await app.database.query<{ job_id: string }>(`select job_id from catalyst.jobs`)
  const job_id = mine?.job_id
  await app.database.query(
    `update catalyst.jobs
     set principal = 'somebody else', state = 'queued', result = null, finished_at = null`,
  )
  await app.database.query(`update catalyst.idempotency_keys set principal = 'somebody else'`)
  const unknown = newId('job')
  for (const tool of ['get_job', 'cancel_job']) {
    const [refused, other] = [
      await app.client.refused(tool, { job_id }),
      await app.client.refused(tool, { job_id: unknown }),
    ]
    expect(refused).toMatchObject({ code: 'not_found' })
    expect({ ...refused, reference: '' }).toEqual({ ...other, reference: '' })
  }
  await expect(app.client.resource(`jobs/${job_id}`)).rejects.toMatchObject({ code: -32602 })
  const [row] = await app.database.query(`select cancel_requested from catalyst.jobs`)
  expect(row).toEqual({ cancel_requested: false })
})

test('a key of another principal is another key', async () => {
  bench.open('own')
  const answer = await app.client.tool('run_held', { label: 'own', idempotency_key: 'shared' })
  expect(answer).toEqual({ label: 'own', starts: 1 })
})
