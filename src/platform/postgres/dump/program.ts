import { spawn, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { AppError } from '../../../errors.js'
import { dumpFailed } from './failure.js'
import type { BorrowedWire } from './wire.js'

const PORT = '5432'

/** Nothing of this process's environment, which holds secrets, and where PGHOST and the like would steer it. */
const ENVIRONMENT = { PATH: process.env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C' }

/**
 * Runs the pg_dump of PATH over a connection that it is lent, through a socket of its own.
 *
 * @throws AppError `not_supported` unless PATH has one for this server
 */
export async function runProgram(
  wire: BorrowedWire,
  args: readonly string[],
  serverMajor: number,
  signal: AbortSignal,
): Promise<string> {
  const found = programMajor()
  if (found === null || found < serverMajor) throw tooOld(found, serverMajor)
  const directory = await mkdtemp(join(tmpdir(), 'catalyst-dump-'))
  const server = createServer()
  try {
    server.once('connection', (socket) => void lend(wire, socket))
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(join(directory, `.s.PGSQL.${PORT}`), resolve)
    })
    const child = spawn(
      'pg_dump',
      [...args, '--host', directory, '--port', PORT, '--username', 'postgres', '--no-password'],
      { env: ENVIRONMENT, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'], signal },
    )
    const ended = new Promise<number | null>((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    const [said, trouble, status] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      ended,
    ])
    if (status !== 0) throw dumpFailed(trouble)
    return said
  } finally {
    server.close()
    await rm(directory, { recursive: true, force: true })
  }
}

async function lend(wire: BorrowedWire, socket: Socket): Promise<void> {
  socket.on('error', () => {})
  try {
    for await (const bytes of socket) socket.write(await wire.exchange(bytes))
  } catch {
    // Who waits for the program hears of it from the program.
    socket.destroy()
  }
}

function programMajor(): number | null {
  const { stdout } = spawnSync('pg_dump', ['--version'], { env: ENVIRONMENT, encoding: 'utf8' })
  const [, major] = /\(PostgreSQL\) (\d+)/.exec(stdout ?? '') ?? []
  return major ? Number(major) : null
}

const tooOld = (found: number | null, server: number): AppError =>
  new AppError(
    'not_supported',
    `The schema of PostgreSQL ${server} needs a pg_dump of ${server} or later; ${found === null ? 'PATH has none' : `that of PATH is ${found}`}.`,
    { hint: `Install postgresql-client-${server} where this server runs, and put it on PATH.` },
  )
