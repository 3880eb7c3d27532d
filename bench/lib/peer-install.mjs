import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Kept between runs; nothing of it belongs to this repository. */
const ROOT = join(tmpdir(), 'catalyst-db-bench-peers')
const PATIENCE_MS = 300_000

/** Installs a peer beside the system's other temporary files, once; answers the folder. */
export async function installPeer({ packages }) {
  const dir = join(ROOT, packages.join('+').replace(/[^\w.+-]+/g, '_'))
  const done = join(dir, 'installed')
  if (existsSync(done)) return dir
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'package.json'), '{ "private": true }\n')
  const args = ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages]
  const npm = spawn('npm', args, {
    cwd: dir,
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: PATIENCE_MS,
  })
  let stderr = ''
  npm.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  const [code] = await once(npm, 'close')
  if (code !== 0) throw new Error(`npm cannot install it: ${stderr.trim().split('\n').at(-1)}`)
  writeFileSync(done, '')
  return dir
}
