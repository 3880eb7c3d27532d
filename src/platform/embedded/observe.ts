import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Trouble } from '../../lib/tls-trouble.js'
import { connectionString } from './catalyst-database.js'
import { findHome, type Home } from './home.js'
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
  const postmaster = home && findPostmaster(home.cluster)
  // Its pid file names the directory only once it has made the socket.
  const sockets = postmaster?.sockets || home?.sockets || join(dataDir, 'run')
  return {
    connectionString: connectionString(sockets, postmaster?.port || PORT),
    absent: postmaster ? null : absence(dataDir, home),
    redis: home ? await new RedisProcess(home).find() : null,
  }
}

function absence(dataDir: string, home: Home | null): Trouble {
  if (!home) {
    return {
      cause: `There is no embedded database: the directory ${dataDir} does not exist.`,
      fix: 'Run "catalyst-db serve" to create it, or set CATALYST_DATA_DIR or DATABASE_URL to where your data is.',
    }
  }
  if (!existsSync(join(home.cluster, 'PG_VERSION'))) {
    return {
      cause: `There is no embedded database in ${dataDir} yet.`,
      fix: 'Run "catalyst-db serve" to create it, or set CATALYST_DATA_DIR or DATABASE_URL to where your data is.',
    }
  }
  return {
    cause: `The embedded PostgreSQL in ${dataDir} is not running.`,
    fix: 'It runs while a server of catalyst-db does: run "catalyst-db serve", or start the client that starts it.',
  }
}
