import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { joinEmbedded } from '../../src/platform/embedded/services.js'
import { TestClient } from './app.js'
import { Command } from './cli.js'
import { waitFor } from './wait-for.js'

/** A fresh machine: a data directory that does not exist yet, and nothing configured. */
export function freshMachine(): { env: Record<string, string>; postmaster: () => number } {
  const parent = mkdtempSync(join(tmpdir(), 'cdb-'))
  const CATALYST_DATA_DIR = join(parent, 'data')
  onTestFinished(async () => {
    // A test that failed half way has killed its server: its services are stopped all the same.
    const dataDir = join(CATALYST_DATA_DIR, 'embedded')
    const left = await joinEmbedded({ dataDir, postgres: true, redis: true, log: () => {} })
    await left.release()
    rmSync(parent, { recursive: true, force: true })
  })
  const pidFile = join(CATALYST_DATA_DIR, 'embedded', 'postgres', 'postmaster.pid')
  const postmaster = () => Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  return { env: { CATALYST_DATA_DIR, PORT: '0' }, postmaster }
}

/** Serves on it, with a client connected. */
export async function serve(
  env: Record<string, string>,
): Promise<{ command: Command; client: TestClient }> {
  const command = new Command(['serve'], env)
  const url = await waitFor(() => /http:\S+\/mcp/.exec(command.stdout)?.[0], { timeoutMs: 150_000 })
  const client = await TestClient.connect(url, 'modern')
  onTestFinished(() => client.close().catch(() => {}))
  return { command, client }
}
