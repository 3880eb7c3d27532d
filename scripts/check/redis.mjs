// @ts-check
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const PROGRAMS = ['valkey-server', 'redis-server']

const INSTALL = {
  debian: 'sudo apt-get update && sudo apt-get install -y --no-install-recommends redis-server',
  fedora: 'sudo dnf install -y valkey',
  macos: 'brew install redis',
}

/**
 * @typedef {object} Machine
 * @property {string} path `PATH`
 * @property {NodeJS.Platform} platform
 * @property {boolean} isRoot
 * @property {string} osRelease the text of /etc/os-release; empty where there is none
 */

/**
 * What is to be done so that the tests have a real Redis: nothing, install it, or ask for it.
 *
 * @param {Machine} machine
 * @returns {{ kind: 'present', program: string } | { kind: 'install' } | { kind: 'ask', message: string }}
 */
export function planRedis({ path, platform, isRoot, osRelease }) {
  const program = findOnPath(path)
  if (program) return { kind: 'present', program }
  if (isRoot && isDebian(osRelease)) return { kind: 'install' }
  return { kind: 'ask', message: askFor(platform, osRelease) }
}

/** @type {(path: string) => string | undefined} */
const findOnPath = (path) =>
  PROGRAMS.flatMap((name) => path.split(delimiter).map((folder) => join(folder, name))).find(
    isExecutable,
  )

/** @type {(file: string) => boolean} */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** @type {(osRelease: string) => boolean} */
const isDebian = (osRelease) => /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease)

/** @type {(platform: NodeJS.Platform, osRelease: string) => string} */
function askFor(platform, osRelease) {
  const reason = 'The tests need a real Redis, and PATH has no valkey-server or redis-server.'
  if (platform === 'darwin') return `${reason}\nRun: ${INSTALL.macos}`
  if (isDebian(osRelease)) return `${reason}\nRun: ${INSTALL.debian}`
  if (/^ID(_LIKE)?=.*\b(fedora|rhel)\b/m.test(osRelease)) return `${reason}\nRun: ${INSTALL.fedora}`
  return `${reason}\nRun the line for your system:
  Debian, Ubuntu: ${INSTALL.debian}
  Fedora, RHEL:   ${INSTALL.fedora}
  macOS:          ${INSTALL.macos}`
}
