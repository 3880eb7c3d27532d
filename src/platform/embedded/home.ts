import { createHash } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  lchownSync,
  lstatSync,
  readdirSync,
  realpathSync,
  type Stats,
} from 'node:fs'
import { join } from 'node:path'
import { AppError } from '../../errors.js'
import { makeFolders } from '../../lib/folders.js'
import type { Owner } from './privileges.js'

/** The directories of one set of embedded services. */
export interface Home {
  /** The data directory, with links resolved: one directory, one set of services. */
  readonly root: string
  /** PGDATA. */
  readonly cluster: string
  /** Locks, members and process records; also the sockets, where their path is short enough. */
  readonly run: string
  readonly sockets: string
  /** Links to PostgreSQL's libraries, when the npm package is read-only. */
  readonly libraries: string
}

/**
 * `sun_path` of a unix socket address is 104 bytes on macOS (108 on Linux) with the final NUL:
 * https://man.openbsd.org/unix.4
 */
const SOCKET_PATH_BYTES = 103
const LONGEST_SOCKET_NAME = '.s.PGSQL.5432'

/**
 * Creates what is missing. Everything is private to this user: that is what makes `trust`
 * authentication on the sockets safe.
 */
export function prepareHome(dataDir: string): Home {
  makeFolders(dataDir, 0o700)
  const home = homeIn(realpathSync(dataDir))
  for (const path of [home.root, home.run, home.sockets]) makePrivate(path)
  return home
}

/** The same where it is there already; creates nothing. Null when there is no such directory. */
export const findHome = (dataDir: string): Home | null =>
  existsSync(dataDir) ? homeIn(realpathSync(dataDir)) : null

function homeIn(root: string): Home {
  const run = join(root, 'run')
  const sockets = fitsSocket(run) ? run : shortDirectory(root)
  return { root, run, sockets, cluster: join(root, 'postgres'), libraries: join(root, 'lib') }
}

/** Who owns the cluster; null before it is created. */
export function clusterOwner({ cluster }: Home): Owner | null {
  const found = lstatSync(cluster, { throwIfNoEntry: false })
  return found ? { uid: found.uid, gid: found.gid } : null
}

/**
 * Gives root's directories to the user that PostgreSQL runs as. The cluster itself is only walked
 * when it belongs to somebody else: when an earlier start had another way not to be root.
 */
export function grantHome(home: Home, owner: Owner): void {
  if (process.getuid?.() !== 0) return
  for (const path of [home.root, home.run, home.sockets]) lchownSync(path, owner.uid, owner.gid)
  const present = clusterOwner(home)
  if (present && present.uid !== owner.uid) chownTree(home.cluster, owner)
}

const fitsSocket = (directory: string): boolean =>
  Buffer.byteLength(join(directory, LONGEST_SOCKET_NAME)) <= SOCKET_PATH_BYTES

/**
 * Must be the same for every server of this data directory, so it is made of the directory's path
 * and not of TMPDIR or XDG_RUNTIME_DIR: those differ between a desktop client and a terminal, and
 * the latter is removed at log-out while the services run on. Root, who accepts directories of any
 * owner, has its own in a place where nobody else can create one.
 */
function shortDirectory(root: string): string {
  const hash = createHash('sha256').update(root).digest('hex').slice(0, 16)
  const me = process.getuid?.() ?? 0
  return `${me === 0 ? '/var/run' : '/tmp'}/catalyst-db-${me}-${hash}`
}

/** Anybody may create names in /tmp: a directory is used only when it is one and is ours. */
function makePrivate(path: string): void {
  makeFolders(path, 0o700)
  const found = lstatSync(path)
  if (!found.isDirectory() || !isOurs(found)) {
    throw new AppError('unavailable', `${path} belongs to another user.`, {
      hint: 'Set CATALYST_DATA_DIR to a directory of your own, or set DATABASE_URL.',
      retryable: false,
    })
  }
  if ((found.mode & 0o077) !== 0) chmodSync(path, 0o700)
}

/** What root gave to the user that PostgreSQL runs as is still root's. */
const isOurs = ({ uid }: Stats): boolean => {
  const me = process.getuid?.() ?? 0
  return uid === me || me === 0
}

function chownTree(path: string, owner: Owner): void {
  lchownSync(path, owner.uid, owner.gid)
  if (!lstatSync(path).isDirectory()) return
  for (const name of readdirSync(path)) chownTree(join(path, name), owner)
}
