import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A policy file, as settings of a server. */
export function policyOf(assistant: Record<string, unknown>) {
  const path = join(mkdtempSync(join(tmpdir(), 'catalyst-assistant-')), 'policy.json')
  writeFileSync(path, JSON.stringify({ assistant }))
  return { CATALYST_POLICY_FILE: path }
}
