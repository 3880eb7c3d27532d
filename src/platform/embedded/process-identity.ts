import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { hasCode } from '../../lib/system-error.js'

const POLL_MS = 10

/**
 * One process, not merely a pid: the kernel hands pids out again, so a record that outlives its
 * process is only trusted together with the instant that process started.
 */
export interface ProcessIdentity {
  readonly pid: number
  readonly started: string
}

/** The process that has this pid now; null when there is none or only a zombie is left of it. */
export function identify(pid: number): ProcessIdentity | null {
  const started = process.platform === 'linux' ? startedFromProc(pid) : startedFromPs(pid)
  return started === null ? null : { pid, started }
}

/** True while exactly this process runs. */
export const isRunning = (known: ProcessIdentity): boolean =>
  identify(known.pid)?.started === known.started

/**
 * `isRunning` for a process that was running a moment ago and is asked about several times a
 * second: without /proc an identity costs a `ps`, and no pid is handed out again that fast.
 */
export const isStillRunning = (known: ProcessIdentity): boolean =>
  process.platform === 'linux' ? isRunning(known) : hasPid(known.pid)

/** The identity as one word, for records on disk. */
export const formatIdentity = ({ pid, started }: ProcessIdentity): string => `${pid}@${started}`

/** Reads what `formatIdentity` wrote; null for anything else. */
export function parseIdentity(text: string): ProcessIdentity | null {
  const [, pid, started] = /^(\d+)@(\S+)$/.exec(text) ?? []
  return pid && started ? { pid: Number(pid), started } : null
}

/** The command line of a process, empty when it is gone. */
export const commandLine = (pid: number): string =>
  process.platform === 'linux'
    ? (readProc(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? '')
    : ps(pid, 'command')

/** The file name of the program a process runs, empty when it is gone. */
export const programName = (pid: number): string =>
  process.platform === 'linux'
    ? (readProc(`/proc/${pid}/comm`)?.trim() ?? '')
    : basename(ps(pid, 'comm').trim())

/** This process. */
export function self(): ProcessIdentity {
  const found = identify(process.pid)
  if (!found) throw new Error('the start time of this process cannot be read')
  return found
}

/** Waits until the process is gone; false when it still runs after this long. */
export async function hasEnded(known: ProcessIdentity, withinMs: number): Promise<boolean> {
  const giveUpAt = Date.now() + withinMs
  while (isRunning(known)) {
    if (Date.now() > giveUpAt) return false
    await sleep(POLL_MS)
  }
  return true
}

/** Sends a signal to a process that may be gone. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if (!hasCode(error, 'ESRCH')) throw error
  }
}

/** True when the kernel still knows the pid, be it as a zombie. */
export function hasPid(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return hasCode(error, 'EPERM')
  }
}

/**
 * Field 22 of proc_pid_stat(5) counts ticks since boot, so the boot is part of the identity. The
 * second field, the program's name, may itself contain spaces and parentheses: read after the last.
 */
function startedFromProc(pid: number): string | null {
  const stat = readProc(`/proc/${pid}/stat`)
  if (!stat) return null
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const [state, ticks] = [fields[0], fields[19]]
  return state === 'Z' || state === 'X' || !ticks ? null : `${bootId()}.${ticks}`
}

let knownBoot: string | undefined
function bootId(): string {
  knownBoot ??= readProc('/proc/sys/kernel/random/boot_id')?.trim() ?? 'boot'
  return knownBoot
}

function startedFromPs(pid: number): string | null {
  const [state, ...started] = ps(pid, 'stat', 'lstart').trim().split(/\s+/)
  return !state || state.startsWith('Z') ? null : started.join('-')
}

/** Columns without headings, one option each as POSIX asks; UTC, for the machine may travel. */
const ps = (pid: number, ...columns: string[]): string =>
  spawnSync('ps', ['-ww', ...columns.flatMap((name) => ['-o', `${name}=`]), '-p', String(pid)], {
    encoding: 'utf8',
    env: { PATH: '/bin:/usr/bin', LC_ALL: 'C', TZ: 'UTC' },
  }).stdout ?? ''

function readProc(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}
