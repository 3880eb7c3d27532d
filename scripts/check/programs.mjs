// @ts-check
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * @typedef {object} Needed a program that the tests run on
 * @property {string} title
 * @property {readonly string[]} programs any of them will do, the first that is found
 * @property {{ readonly debian: string, readonly fedora: string, readonly macos: string } | { readonly debian: string }} packages
 * those that bring it; where there is none, the tests do without
 */

/** @satisfies {Record<string, Needed>} */
export const NEEDED = {
  redis: {
    title: 'Redis',
    programs: ['valkey-server', 'redis-server'],
    packages: { debian: 'redis-server', fedora: 'valkey', macos: 'redis' },
  },
  pgbouncer: {
    title: 'PgBouncer',
    programs: ['pgbouncer'],
    packages: { debian: 'pgbouncer', fedora: 'pgbouncer', macos: 'pgbouncer' },
  },
  s3: {
    title: 'S3 server (Swift)',
    programs: ['swift-proxy-server'],
    packages: { debian: 'swift-proxy swift-account swift-container swift-object' },
  },
  browser: {
    title: 'Chromium',
    programs: ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'],
    packages: { debian: 'chromium' },
  },
}

/**
 * @typedef {object} Machine
 * @property {string} path `PATH`
 * @property {NodeJS.Platform} platform
 * @property {boolean} isRoot
 * @property {string} osRelease the text of /etc/os-release; empty where there is none
 */

/**
 * What is to be done so that the tests have a real one: nothing, install a package, or ask for it.
 *
 * @param {Machine} machine
 * @param {Needed} needed
 * @returns {{ kind: 'present', program: string } | { kind: 'install', command: string } | { kind: 'ask', message: string } | { kind: 'without', message: string }}
 */
export function planProgram({ path, platform, isRoot, osRelease }, needed) {
  const program = findOnPath(path, needed.programs)
  if (program) return { kind: 'present', program }
  if (isRoot && isDebian(osRelease)) {
    return { kind: 'install', command: aptInstall(needed.packages.debian) }
  }
  if (!isDebian(osRelease) && !('macos' in needed.packages)) {
    return {
      kind: 'without',
      message: `no package of this system brings ${needed.title}: its tests are left out`,
    }
  }
  return { kind: 'ask', message: askFor(platform, osRelease, needed) }
}

/** @type {(path: string, programs: readonly string[]) => string | undefined} */
const findOnPath = (path, programs) =>
  programs
    .flatMap((name) => path.split(delimiter).map((folder) => join(folder, name)))
    .find(isExecutable)

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

/** @type {(name: string, sudo?: string) => string} */
const aptInstall = (name, sudo = '') =>
  `${sudo}apt-get update && ${sudo}apt-get install -y --no-install-recommends ${name}`

/** @type {(platform: NodeJS.Platform, osRelease: string, needed: Needed) => string} */
function askFor(platform, osRelease, { title, programs, packages }) {
  const reason = `The tests need a real ${title}, and PATH has no ${programs.join(' or ')}.`
  const debian = aptInstall(packages.debian, 'sudo ')
  if (!('macos' in packages)) return `${reason}\nRun: ${debian}`
  const fedora = `sudo dnf install -y ${packages.fedora}`
  const macos = `brew install ${packages.macos}`
  if (platform === 'darwin') return `${reason}\nRun: ${macos}`
  if (isDebian(osRelease)) return `${reason}\nRun: ${debian}`
  if (/^ID(_LIKE)?=.*\b(fedora|rhel)\b/m.test(osRelease)) return `${reason}\nRun: ${fedora}`
  return `${reason}\nRun the line for your system:
  Debian, Ubuntu: ${debian}
  Fedora, RHEL:   ${fedora}
  macOS:          ${macos}`
}
