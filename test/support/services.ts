import { spawnSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { MigrationService } from '../../src/domains/migrations/service.js'
import { extensionsSql } from '../../src/platform/embedded/roles.js'
import { joinEmbedded } from '../../src/platform/embedded/services.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { startPostgresOf } from './postgres-of.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** The database every test database is copied from: migrated once. */
export const TEMPLATE = 'catalyst_template'

declare module 'vitest' {
  interface ProvidedContext {
    postgresUrl: string
    redisPath: string
    /** A directory that everyone may enter, removed after the run. */
    scratch: string
  }
}

/** Starts a real PostgreSQL and a real Redis for the whole run. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Tests of the command line run what users run: the built files, not yesterday's.
  // Type errors are for the type check to report: what was built is run all the same.
  spawnSync('npm', ['run', '--silent', 'build'], { cwd: ROOT, stdio: 'ignore' })
  // A directory that is kept saves the initdb of every run while one works on a test.
  const kept = process.env.CATALYST_TEST_DATA_DIR
  if (kept) await mkdir(kept, { recursive: true })
  const dataDir = kept ?? (await mkdtemp(join(tmpdir(), 'catalyst-db-test-')))
  // Another version of PostgreSQL than the one that npm installed.
  const bin = process.env.CATALYST_TEST_DATABASE_BIN
  const other = bin ? await startPostgresOf(bin, dataDir) : null
  const services = await joinEmbedded({ dataDir, postgres: !other, redis: true, log: () => {} })
  const postgresUrl = other?.url ?? services.postgres?.connectionString
  if (!postgresUrl || !services.redis) {
    await other?.stop()
    await services.release()
    throw new Error(
      'The tests need a Redis: run "apt-get install redis-server" (macOS: "brew install redis").',
    )
  }
  await prepareTemplate(postgresUrl)
  const scratch = await mkdtemp(join(tmpdir(), 'catalyst-db-scratch-'))
  await chmod(scratch, 0o755)
  project.provide('scratch', scratch)
  project.provide('postgresUrl', postgresUrl)
  project.provide('redisPath', services.redis.path)
  return async () => {
    await other?.stop()
    await services.release()
    await rm(scratch, { recursive: true, force: true })
    if (!kept) await rm(dataDir, { recursive: true, force: true })
  }
}

async function prepareTemplate(url: string): Promise<void> {
  // A kept directory may have a template of an earlier build, which belonged to somebody else.
  const admin = new pg.Client({ connectionString: asBootstrap(url) })
  await admin.connect()
  await admin.query(`drop database if exists ${TEMPLATE} with (force)`)
  await admin.query(`create database ${TEMPLATE} owner catalyst_owner`)
  await admin.end()
  const inside = new pg.Client({ connectionString: asBootstrap(withDatabase(url, TEMPLATE)) })
  await inside.connect()
  await inside.query(extensionsSql())
  await inside.end()
  await new MigrationService({
    endpoint: parseDatabaseUrl(withDatabase(url, TEMPLATE)),
    builtInDir: join(ROOT, 'migrations'),
    operatorDir: null,
    appVersion: 'test',
  }).applyBuiltIn()
}

/** The same database as the superuser that the product does not use. */
export const asBootstrap = (url: string): string => url.replace('catalyst_owner@', 'postgres@')

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  return url.replace(/\/catalyst(?=\?|$)/, `/${database}`)
}
