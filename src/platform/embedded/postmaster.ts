import { readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../../lib/system-error.js'
import {
  commandLine,
  hasPid,
  identify,
  type ProcessIdentity,
  programName,
  signal,
} from './process-identity.js'

const EMPTY_LOCK_MS = 1_000

/** A running postmaster, as its pid file describes it. */
export interface Postmaster {
  readonly process: ProcessIdentity
  readonly since: Date
  readonly port: number
  readonly sockets: string
  /** Accepts connections; otherwise it is starting, recovering or stopping. */
  readonly isReady: boolean
}

/**
 * The postmaster of this cluster; null when none runs. The pid file is believed only if its pid is
 * a postmaster of this very directory: after a crash the file stays, with its "ready" line, and its
 * pid may be a zombie's or belong to any other program by now. Lines: pidfile.h of PostgreSQL.
 */
export function findPostmaster(cluster: string): Postmaster | null {
  const lines = readLines(pidFile(cluster))
  const pid = Number(lines[0])
  const found = Number.isInteger(pid) && pid > 0 ? identify(pid) : null
  if (!found || !isPostgresOf(cluster, pid)) return null
  return {
    process: found,
    since: new Date(Number(lines[2]) * 1000),
    port: Number(lines[3]),
    sockets: lines[4] ?? '',
    isReady: lines[7]?.trim() === 'ready',
  }
}

/**
 * Removes lock files that would stop a new postmaster although nobody holds them. PostgreSQL drops
 * one whose pid is gone, but not one whose pid belongs to a zombie or to a stranger, nor an empty one:
 * only these are handled here. Should a backend of the old postmaster live on, shared memory still gives it
 * away (the segment's key is derived from the directory), and the new postmaster refuses to start.
 */
export function removeStaleLocks(cluster: string, sockets: string, port: number): void {
  if (findPostmaster(cluster)) return
  const socket = join(sockets, `.s.PGSQL.${port}`)
  for (const path of [pidFile(cluster), `${socket}.lock`]) {
    const pid = Math.abs(Number(readLines(path)[0]))
    const isStale = pid ? hasPid(pid) && !isPostgresOf(cluster, pid) : isAbandoned(path)
    if (isStale) rmSync(path, { force: true })
  }
}

/**
 * Ends what a killed postmaster left behind. Idle backends leave by themselves, but one inside a
 * long query would not notice for minutes and keep the cluster closed. SIGQUIT is what a postmaster
 * sends its children after a crash; what was committed is in the WAL. Only on Linux can they be
 * told apart (their title does not name the directory); elsewhere they are waited for.
 */
export function endOrphanedBackends(cluster: string): void {
  if (process.platform !== 'linux') return
  for (const name of readdirSync('/proc')) {
    const pid = Number(name)
    if (!pid || workingDirectory(pid) !== cluster) continue
    if (commandLine(pid).startsWith('postgres: ')) signal(pid, 'SIGQUIT')
  }
}

/** An empty lock file is either a postmaster about to write it or what a crash of the machine left. */
function isAbandoned(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false })
  return found !== undefined && Date.now() - found.mtimeMs > EMPTY_LOCK_MS
}

/**
 * A postmaster works in its data directory. Where that cannot be read (root in a container may not
 * look into other users' processes, macOS has no /proc) its command line names the directory.
 */
function isPostgresOf(cluster: string, pid: number): boolean {
  if (!identify(pid) || programName(pid) !== 'postgres') return false
  const directory = workingDirectory(pid)
  return directory === null ? commandLine(pid).includes(`-D ${cluster} `) : directory === cluster
}

function workingDirectory(pid: number): string | null {
  try {
    return process.platform === 'linux' ? readlinkSync(`/proc/${pid}/cwd`) : null
  } catch {
    return null
  }
}

const pidFile = (cluster: string): string => join(cluster, 'postmaster.pid')

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return []
    throw error
  }
}
