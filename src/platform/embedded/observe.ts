import { statSync } from 'node:fs'
import { join } from 'node:path'
import { hasCode } from '../../lib/system-error.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import { connectionString } from './catalyst-database.js'
import { findHome } from './home.js'
import { findPostmaster } from './postmaster.js'
import { PORT } from './postmaster-launch.js'
import { RedisProcess } from './redis-process.js'

/** The embedded services as they are found; nothing is started, joined or created. */
export interface Observed {
  /** Where PostgreSQL answers, or would. */
  readonly connectionString: string
  /** Why there is no PostgreSQL to ask; null when one runs. */
  readonly absent: Trouble | null
  /** The socket of a Redis that answers. */
  readonly redis: string | null
}

/** Looks at what runs in a data directory, which need not exist. */
export async function observeEmbedded(dataDir: string): Promise<Observed> {
  const home = findHome(dataDir)
  const absent = absentCluster(dataDir)
  const postmaster = home && !absent ? findPostmaster(home.cluster) : null
  // Its pid file names the directory only once it has made the socket.
  const sockets = postmaster?.sockets || home?.sockets || join(dataDir, 'run')
  return {
    connectionString: connectionString(sockets, postmaster?.port || PORT),
    absent: postmaster ? null : (absent ?? notRunning(dataDir)),
    redis: home ? await new RedisProcess(home).find() : null,
  }
}

/** Why a data directory has no database that could be started; null when it has one. */
export function absentCluster(dataDir: string): Trouble | null {
  const version = join(dataDir, 'postgres', 'PG_VERSION')
  try {
    if (statSync(version, { throwIfNoEntry: false })) return null
    return statSync(dataDir, { throwIfNoEntry: false })
      ? { cause: `There is no embedded database in ${dataDir} yet.`, fix: CREATE_IT }
      : {
          cause: `There is no embedded database: the directory ${dataDir} does not exist.`,
          fix: CREATE_IT,
        }
  } catch (error) {
    const why = hasCode(error, 'EACCES', 'EPERM')
      ? 'this user may not look into it'
      : 'it cannot be looked into'
    return {
      cause: `Whether there is an embedded database in ${dataDir} cannot be told: ${why}.`,
      fix: 'Run the command as the user of the server, or set CATALYST_DATA_DIR or DATABASE_URL to where your data is.',
    }
  }
}

const CREATE_IT =
  'Run "catalyst-db serve" to create it, or set CATALYST_DATA_DIR or DATABASE_URL to where your data is.'

const notRunning = (dataDir: string): Trouble => ({
  cause: `The embedded PostgreSQL in ${dataDir} is not running.`,
  fix: 'It runs while a server of catalyst-db does: run "catalyst-db serve", or start the client that starts it.',
})
