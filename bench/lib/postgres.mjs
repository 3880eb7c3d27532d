import { execFile, spawnSync } from 'node:child_process'
import { promisify } from 'node:util'
import pg from 'pg'
import { joinEmbedded } from '../../dist/platform/embedded/services.js'
import { SYMBOLS } from './news.mjs'
import { cleanEnv, MAIN } from './server.mjs'

const TEMPLATE = 'bench_template'
let counter = 0

/**
 * A PostgreSQL of the bench's own, with the product's own settings, and a Redis where PATH has one.
 * Every database is a copy of a migrated one that knows the symbols of the bench's news already.
 */
export async function startServices(dataDir) {
  const services = await joinEmbedded({ dataDir, postgres: true, redis: true, log: () => {} })
  const { connectionString } = services.postgres
  const url = (database) => connectionString.replace('/catalyst?', `/${database}?`)
  const redis = services.redis ? { REDIS_URL: `unix://${services.redis.path}` } : {}
  /** What makes a server use a database of this PostgreSQL. */
  const envOf = (database) => ({
    DATABASE_URL: url(database),
    CATALYST_DATA_DIR: `${dataDir}/server`,
    ...redis,
  })
  const admin = new Database(url('catalyst'), {})
  await admin.query(`create database ${TEMPLATE}`)
  await migrate(envOf(TEMPLATE))
  const template = new Database(url(TEMPLATE), {})
  await template.query(
    'insert into catalyst.securities (symbol) select * from unnest($1::text[])',
    [SYMBOLS],
  )
  await template.close()
  return {
    version: services.postgres.version,
    async createDatabase() {
      const name = `bench_${++counter}`
      await admin.query(`create database ${name} template ${TEMPLATE}`)
      return new Database(url(name), envOf(name))
    },
    async release() {
      await admin.close()
      await services.release()
    },
  }
}

/** Starting the product applies its migrations. */
export const migrate = (env) =>
  promisify(execFile)(process.execPath, [MAIN, 'status', '--json'], { env: cleanEnv(env) })

/** One database, looked into past the product. */
class Database {
  #pool

  constructor(url, env) {
    this.url = url
    this.env = env
    this.#pool = new pg.Pool({ connectionString: url, max: 2 })
    this.#pool.on('error', () => {})
  }

  /** The rows of a statement. */
  async query(text, values) {
    return (await this.#pool.query(text, values)).rows
  }

  /** How many rows a table has. */
  async count(table) {
    const [{ n }] = await this.query(`select count(*)::int as n from ${table}`)
    return n
  }

  /** A connection of the caller's own. */
  connect() {
    return this.#pool.connect()
  }

  close() {
    return this.#pool.end()
  }
}

/** PostgreSQL's own client, which not every machine has. */
export const PSQL = 'psql'

/** Whether PATH has it. */
export const hasPsql = () => spawnSync(PSQL, ['--version']).status === 0
