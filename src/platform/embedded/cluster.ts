import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { AppError } from '../../errors.js'
import type { PostgresBinaries } from './binaries.js'
import { commandFor, type Runner } from './privileges.js'

/**
 * The built-in locale provider needs no locale of the operating system and never changes its sort
 * order, so an index survives a system upgrade: https://www.postgresql.org/docs/18/locale.html.
 * initdb syncs what it wrote; leaving that out saves 0.1 s and risks the whole cluster.
 * The settings are written to postgresql.conf as defaults that an operator may change.
 */
const INITDB_ARGUMENTS = [
  '--username=postgres',
  '--auth=trust',
  '--encoding=UTF8',
  '--locale-provider=builtin',
  '--locale=C.UTF-8',
  '--data-checksums',
  '--no-instructions',
  ...['timezone=UTC', 'log_timezone=UTC', 'max_connections=100', 'shared_buffers=128MB'].flatMap(
    (setting) => ['--set', setting],
  ),
]

/**
 * Creates the cluster unless it exists. It appears under its name only when complete: an
 * interrupted initdb leaves a directory beside it, which the next start removes. Each attempt has
 * its own, because an initdb outlives a server that was killed and may still be writing.
 *
 * @returns whether it was created
 */
export async function ensureCluster(
  directory: string,
  binaries: PostgresBinaries,
  runner: Runner,
): Promise<boolean> {
  removeInterrupted(directory)
  if (existsSync(join(directory, 'PG_VERSION'))) return false
  const attempt = `${directory}.init.${randomBytes(4).toString('hex')}`
  await initdb(attempt, binaries, runner)
  renameSync(attempt, directory)
  syncDirectory(dirname(directory))
  return true
}

async function initdb(directory: string, binaries: PostgresBinaries, runner: Runner) {
  const command = commandFor(runner, binaries.initdb, ['-D', directory, ...INITDB_ARGUMENTS])
  const child = spawn(command.file, command.args, {
    ...runner.identity,
    cwd: dirname(directory),
    env: { ...binaries.env },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<number | string | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (status, signal) => resolve(status ?? signal))
  })
  const [status, stderr] = await Promise.all([ended, text(child.stderr)])
  if (status === 0) return
  rmSync(directory, { recursive: true, force: true })
  throw new AppError(
    'unavailable',
    `initdb could not create the database cluster (${status}): ${stderr.trim().split('\n')[0]}`,
    { hint: 'Check free space and permissions of the data directory, or set DATABASE_URL.' },
  )
}

function removeInterrupted(directory: string): void {
  const parent = dirname(directory)
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(`${basename(directory)}.init`)) continue
    try {
      rmSync(join(parent, name), { recursive: true, force: true })
    } catch {
      // A leftover initdb is still writing there; a later start removes what it leaves.
    }
  }
}

/** A rename is only durable once the directory that holds the name is. */
function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
