import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, openSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { connectionString } from '../../src/platform/embedded/catalyst-database.js'
import { grantHome, prepareHome } from '../../src/platform/embedded/home.js'
import { chooseRunner, commandFor } from '../../src/platform/embedded/privileges.js'
import { rolesSql } from '../../src/platform/embedded/roles.js'
import { waitFor } from './wait-for.js'

const PORT = 5432
const ENVIRONMENT = { PATH: '/usr/bin:/bin', LC_ALL: 'C', LANG: 'C' }
/** What every PostgreSQL from 14 on understands. */
const INITDB = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']

/** A PostgreSQL that was started for the tests. */
interface StartedPostgres {
  /** As its superuser. */
  readonly admin: string
  readonly sockets: string
  /** Its files. */
  readonly cluster: string
  stop(): Promise<void>
}

/** Starts the PostgreSQL whose programs are in a directory, with the roles and the database of the product. */
export async function startPostgresOf(bin: string, parent: string) {
  const { admin, sockets, stop } = await startBare(bin, parent)
  await run(admin, rolesSql())
  await run(admin, 'create database catalyst owner catalyst_owner').catch((error: unknown) => {
    if (Object(error).code !== '42P04') throw error
  })
  return { url: connectionString(sockets, PORT), stop }
}

/** Starts the same as initdb leaves it. */
export async function startBare(bin: string, parent: string): Promise<StartedPostgres> {
  const [postgres, initdb] = [join(bin, 'postgres'), join(bin, 'initdb')]
  const home = prepareHome(join(parent, `postgres-${majorOf(postgres)}`))
  const runner = chooseRunner({ postgres, initdb, env: ENVIRONMENT }, null)
  const options = { ...runner.identity, env: ENVIRONMENT, cwd: '/' }
  grantHome(home, runner.owner)
  if (!existsSync(join(home.cluster, 'PG_VERSION'))) {
    const { file, args } = commandFor(runner, initdb, ['-D', home.cluster, ...INITDB])
    const made = spawnSync(file, args, { ...options, encoding: 'utf8' })
    if (made.status !== 0) throw new Error(`initdb of ${bin} failed: ${made.stderr}`)
  }
  const { file, args } = commandFor(runner, postgres, settings(home.cluster, home.sockets))
  const output = openSync(join(home.root, 'postgres.log'), 'a')
  const child = spawn(file, args, { ...options, stdio: ['ignore', output, output] })
  const admin = connectionString(home.sockets, PORT).replace(
    'catalyst_owner@/catalyst?',
    'postgres@/postgres?',
  )
  await waitFor(() => answers(admin), { timeoutMs: 60_000, what: `an answer of ${postgres}` })
  return {
    admin,
    sockets: home.sockets,
    cluster: home.cluster,
    stop: async () => {
      child.kill('SIGINT')
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    },
  }
}

function majorOf(postgres: string): string {
  const { stdout, error } = spawnSync(postgres, ['--version'], { encoding: 'utf8' })
  const major = /\d+/.exec(stdout ?? '')?.[0]
  if (!major)
    throw new Error(`${postgres} of CATALYST_TEST_DATABASE_BIN does not run`, { cause: error })
  return major
}

const settings = (cluster: string, sockets: string): string[] => [
  ...['-D', cluster, '-k', sockets, '-p', String(PORT)],
  ...Object.entries({
    listen_addresses: '',
    unix_socket_permissions: '0700',
    shared_preload_libraries: 'pg_stat_statements',
    wal_level: 'logical',
    timezone: 'UTC',
    max_connections: '100',
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

const answers = (url: string): Promise<boolean> =>
  run(url, 'select 1').then(
    () => true,
    () => false,
  )

async function run(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(text)
  } finally {
    await client.end()
  }
}
