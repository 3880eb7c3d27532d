import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** Bytes that a process and all it has started hold in memory: some servers are started by another. */
export function residentBytes(pid) {
  const processes = process.platform === 'linux' ? fromProc() : fromPs()
  let total = 0
  const pending = [pid]
  for (let next = pending.pop(); next; next = pending.pop()) {
    total += processes.find((one) => one.pid === next)?.bytes ?? 0
    pending.push(...processes.filter(({ parent }) => parent === next).map((one) => one.pid))
  }
  return total
}

const PAGE = 4_096

function fromProc() {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  return pids.flatMap((pid) => {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return [{ pid: Number(pid), parent: Number(fields[1]), bytes: Number(fields[21]) * PAGE }]
    } catch {
      // It has ended meanwhile.
      return []
    }
  })
}

function fromPs() {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8' })
  return lines
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid, parent, kilobytes = 0]) => ({ pid, parent, bytes: kilobytes * 1_024 }))
}
