import type { Trouble } from '../../lib/tls-trouble.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { DISK_FULL, troubleOf } from '../../platform/postgres/connection-trouble.js'
import { DedicatedConnection } from '../../platform/postgres/dedicated.js'
import { unreachable } from '../../platform/postgres/errors.js'
import { tryTransaction } from '../../platform/postgres/login.js'
import { hasRoom } from '../../platform/postgres/room.js'
import { checkDefaults } from './defaults.js'
import { type Finding, ok, problem, warning } from './finding.js'
import { type ServerFacts, serverFacts } from './sql.js'
import type { CacheLook } from './verdict.js'

export type { Finding }

/** What is looked at. */
export interface CheckupDeps {
  readonly pooled: Endpoint
  readonly direct: Endpoint
  readonly isEmbedded: boolean
  /** Why there is no PostgreSQL to ask. */
  readonly absent: Trouble | null
  readonly cacheHealth: () => Promise<CacheLook>
  readonly nodeVersion: string
}

const POSTGRES = 'PostgreSQL'
const DIRECT = 'Direct connection'
const POOLER = 'Pooler'
const WRITABLE = 'Writable'
const SPACE = 'Space'
const NEEDED = [POSTGRES, DIRECT, POOLER, WRITABLE, SPACE]
const OLDEST_POSTGRES = 14
const NEWEST_POSTGRES = 18
/** Versions that receive fixes of the server's dependencies. */
const OLDEST_NODE = [20, 19]

/** Longest look at one server, in milliseconds. */
const LOOK_MS = 5_000

/** True when the database can be reached and written to. */
export const isUsable = (findings: readonly Finding[]): boolean =>
  !findings.some(({ check, status }) => status === 'problem' && NEEDED.includes(check))

/** Looks at everything the server needs, and says for each what to do when it is not well. */
export async function checkUp(deps: CheckupDeps): Promise<Finding[]> {
  const [postgres, cache] = await Promise.all([checkDatabase(deps), deps.cacheHealth()])
  return [checkNode(deps.nodeVersion), ...postgres, checkCache(cache)]
}

async function checkDatabase(deps: CheckupDeps): Promise<Finding[]> {
  if (deps.absent) return [problem(POSTGRES, deps.absent.cause, deps.absent.fix)]
  const [postgres, direct, room] = await Promise.all([
    checkPostgres(deps),
    checkDirect(deps),
    hasRoom(deps.direct),
  ])
  return [
    ...postgres,
    ...(room === false ? [problem(SPACE, DISK_FULL.cause, DISK_FULL.fix)] : []),
    ...direct,
  ]
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
        ok(POSTGRES, `${pooled.label} answers (${latency} ms)`),
        checkVersion(facts),
        checkEncoding(facts),
        checkRole(facts),
        ...checkRights(facts, isEmbedded),
        checkSchema(facts),
        checkDefaults(facts),
        ...checkPartitions(facts),
        checkStatements(facts),
        ...(connection.isPooled ? await checkPooler(pooled) : []),
      ]
    })
  } catch (error) {
    return [away(POSTGRES, pooled, 'DATABASE_URL', error)]
  }
}

async function checkPooler(pooled: Endpoint): Promise<Finding[]> {
  const login = await tryTransaction(pooled)
  return 'trouble' in login ? [problem(POOLER, login.trouble.cause, login.trouble.fix)] : []
}

async function checkDirect({ pooled, direct }: CheckupDeps): Promise<Finding[]> {
  const setting = direct.label === pooled.label ? 'DATABASE_URL' : 'DATABASE_DIRECT_URL'
  try {
    const isPooled = await looking(direct, async (connection) => {
      await connection.one(serverFacts())
      return connection.isPooled
    })
    if (!isPooled) return [ok(DIRECT, `${direct.label} is not behind a pooler`)]
    return [
      problem(
        DIRECT,
        `${setting} (${direct.label}) leads to a connection pooler`,
        'Set DATABASE_DIRECT_URL to the database itself: sessions, migrations, jobs and events need it.',
      ),
    ]
  } catch (error) {
    // The same address was already reported.
    if (direct.label === pooled.label) return []
    return [away(DIRECT, direct, setting, error)]
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

const checkEncoding = ({ encoding }: ServerFacts): Finding =>
  encoding === 'UTF8'
    ? ok('Encoding', encoding)
    : warning(
        'Encoding',
        `${encoding}: texts with characters that it lacks are refused`,
        'Create a database with "createdb --template=template0 --encoding=UTF8", move the data with pg_dump and pg_restore, and point DATABASE_URL at it.',
      )

const checkRole = ({ in_recovery }: ServerFacts): Finding =>
  in_recovery
    ? problem(
        WRITABLE,
        'the server answers reads only',
        'Point DATABASE_URL at the primary, not at a replica.',
      )
    : ok(WRITABLE, 'yes')

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

const checkSchema = ({ schema_present, schema_foreign }: ServerFacts): Finding =>
  schema_foreign
    ? problem(
        'Schema',
        'the schema "catalyst" of this database belongs to something else: it holds objects and no ledger of catalyst-db',
        'Give catalyst-db a database of its own, or rename that schema: alter schema catalyst rename to <name>;',
      )
    : ok('Schema', schema_present ? 'present' : 'not there yet: it is created when a server starts')

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

const checkCache = ({ state, reason }: CacheLook): Finding => {
  if (state === 'ready') return ok('Cache', 'answers')
  return state === 'not running'
    ? ok('Cache', reason)
    : warning(
        'Cache',
        `${state}: ${reason}`,
        'Check REDIS_URL; without a cache everything works, only slower.',
      )
}

function away(check: string, endpoint: Endpoint, setting: string, error: unknown): Finding {
  const { cause, fix } = troubleOf(unreachable(error), setting)
  return problem(check, `${endpoint.label}: ${cause}`, fix)
}
