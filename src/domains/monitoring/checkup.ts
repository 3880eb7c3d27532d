import { AppError } from '../../errors.js'
import type { CacheHealth } from '../../platform/cache/cache-store.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { checkDefaults } from './defaults.js'
import { type Finding, ok, problem, warning } from './finding.js'
import { type ServerFacts, serverFacts } from './sql.js'

export type { Finding }

/** What is looked at. */
export interface CheckupDeps {
  readonly pooled: Endpoint
  readonly direct: Endpoint
  readonly isEmbedded: boolean
  readonly cacheHealth: () => Promise<CacheHealth>
  readonly nodeVersion: string
}

const OLDEST_POSTGRES = 14
const NEWEST_POSTGRES = 18
/** Versions that receive fixes of the server's dependencies. */
const OLDEST_NODE = [20, 19]

/** Longest look at one server, in milliseconds. */
const LOOK_MS = 5_000

/** Looks at everything the server needs, and says for each what to do when it is not well. */
export async function checkUp(deps: CheckupDeps): Promise<Finding[]> {
  const [postgres, direct, cache] = await Promise.all([
    checkPostgres(deps),
    checkDirect(deps),
    deps.cacheHealth(),
  ])
  return [checkNode(deps.nodeVersion), ...postgres, ...direct, checkCache(cache)]
}

function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const [oldestMajor = 0, oldestMinor = 0] = OLDEST_NODE
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
    ? ok('Node.js', version)
    : problem('Node.js', version, `Install Node.js ${OLDEST_NODE.join('.')} or later.`)
}

async function checkPostgres({ pooled, isEmbedded }: CheckupDeps): Promise<Finding[]> {
  const started = performance.now()
  try {
    return await looking(pooled, async (connection) => {
      const facts = await connection.one(serverFacts())
      const latency = (performance.now() - started).toFixed(1)
      return [
        ok('PostgreSQL', `${pooled.label} answers (${latency} ms)`),
        checkVersion(facts),
        checkRole(facts),
        ...checkRights(facts, isEmbedded),
        checkSchema(facts),
        checkDefaults(facts),
        ...checkPartitions(facts),
        checkStatements(facts),
      ]
    })
  } catch (error) {
    return [unreachable('PostgreSQL', pooled, 'DATABASE_URL', error)]
  }
}

async function checkDirect({ pooled, direct }: CheckupDeps): Promise<Finding[]> {
  const setting = direct.label === pooled.label ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL'
  try {
    const isPooled = await looking(direct, async (connection) => {
      await connection.one(serverFacts())
      return connection.isPooled
    })
    if (!isPooled) return [ok('Direct connection', `${direct.label} is not behind a pooler`)]
    return [
      problem(
        'Direct connection',
        `${setting} (${direct.label}) leads to a connection pooler`,
        'Set DATABASE_DIRECT_URL to the database itself: sessions, migrations, jobs and events need it.',
      ),
    ]
  } catch (error) {
    // The same address was already reported.
    if (direct.label === pooled.label) return []
    return [unreachable('Direct connection', direct, setting, error)]
  }
}

/** Opens a connection that can only look, and closes it. */
async function looking<T>(
  endpoint: Endpoint,
  look: (connection: DedicatedConnection) => Promise<T>,
): Promise<T> {
  const connection = new DedicatedConnection({ endpoint, timeoutMs: LOOK_MS })
  try {
    return await look(connection)
  } finally {
    await connection.close()
  }
}

function checkVersion({ version }: ServerFacts): Finding {
  const major = Number.parseInt(version, 10)
  if (major < OLDEST_POSTGRES) {
    return problem('Version', version, `Upgrade PostgreSQL to ${OLDEST_POSTGRES} or later.`)
  }
  if (major > NEWEST_POSTGRES) {
    return warning(
      'Version',
      version,
      `Tested up to ${NEWEST_POSTGRES}: look for a newer catalyst-db.`,
    )
  }
  return ok('Version', version)
}

const checkRole = ({ in_recovery, read_only }: ServerFacts): Finding =>
  in_recovery || read_only
    ? problem(
        'Writable',
        'the server answers reads only',
        'Point DATABASE_URL at the primary, not at a replica.',
      )
    : ok('Writable', 'yes')

function checkRights(facts: ServerFacts, isEmbedded: boolean): Finding[] {
  const rights = facts.may_create
    ? ok('Rights', `role ${facts.role} may create the schema "catalyst"`)
    : problem(
        'Rights',
        `role ${facts.role} may not create in this database`,
        `Run: grant create on database "${facts.database}" to "${facts.role}";`,
      )
  const monitor = facts.may_monitor
    ? ok('Monitoring rights', 'the role sees all activity')
    : warning(
        'Monitoring rights',
        `role ${facts.role} sees only its own activity and no replication lag`,
        `Run: grant pg_monitor to "${facts.role}";`,
      )
  if (!facts.superuser || isEmbedded) return [rights, monitor]
  return [
    rights,
    monitor,
    warning(
      'Superuser',
      `role ${facts.role} is a superuser`,
      'Use a role of its own without SUPERUSER: a mistake then cannot leave this database.',
    ),
  ]
}

const checkSchema = ({ schema_present }: ServerFacts): Finding =>
  ok('Schema', schema_present ? 'present' : 'not there yet: it is created when a server starts')

/** Whoever stores bars of a month makes its partition, but should not have to. */
function checkPartitions({ missing_partitions: missing }: ServerFacts): Finding[] {
  if (missing === null) return []
  if (missing.length === 0) {
    return [ok('Partitions', 'those of this month and the next are there')]
  }
  const detail = `missing: ${missing.map(({ name }) => name).join(', ')}`
  const fix =
    'A server makes them at its start and every 12 hours: start one, or look into its log for what keeps it from that.'
  const isCurrent = missing.some(({ ahead }) => ahead === 0)
  return [(isCurrent ? problem : warning)('Partitions', detail, fix)]
}

const checkStatements = ({ has_statements }: ServerFacts): Finding =>
  has_statements
    ? ok('Statement statistics', 'pg_stat_statements is loaded')
    : warning(
        'Statement statistics',
        'pg_stat_statements is not loaded: slow queries cannot be listed',
        'Add pg_stat_statements to shared_preload_libraries and restart PostgreSQL.',
      )

const checkCache = ({ state, reason }: CacheHealth): Finding =>
  state === 'ready'
    ? ok('Cache', 'answers')
    : warning(
        'Cache',
        `${state}: ${reason}`,
        'Check REDIS_URL; without a cache everything works, only slower.',
      )

function unreachable(check: string, endpoint: Endpoint, setting: string, error: unknown): Finding {
  const reason = error instanceof AppError ? error.message : 'the connection failed'
  const code = causeOf(error)
  return problem(
    check,
    `${endpoint.label}: ${reason} (${code})`,
    CERTIFICATE_ERROR.test(code)
      ? `The certificate of the server is not trusted: add sslrootcert=<file of its authority> to ${setting}, or set PGSSLROOTCERT.`
      : `Check ${setting}, that the server runs, and that this machine may connect to it.`,
  )
}

/** How Node names what is wrong with a certificate or its chain. */
const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/

/** The bare error code, which is safe to show: a driver's text may carry more. */
function causeOf(error: unknown): string {
  const codes = [error, Object(error).cause].map((one) => Object(one).code)
  return codes.find((code) => /^[A-Z0-9]{5,}$/.test(String(code))) ?? 'no code'
}
