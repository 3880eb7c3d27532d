import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { inject } from 'vitest'

/** A policy file of monitoring, which samples several times a second. */
export function monitoringPolicy(thresholds: Readonly<Record<string, unknown>> = {}) {
  const path = join(inject('scratch'), `monitoring-${randomBytes(4).toString('hex')}.json`)
  writeFileSync(path, JSON.stringify({ monitoring: { sample_seconds: 0.2, ...thresholds } }))
  return { CATALYST_POLICY_FILE: path }
}
