import { type Config, migrationsDir } from '../../config.js'
import { systemClock } from '../../lib/clock.js'
import { packageFile } from '../../lib/package-files.js'
import { VERSION } from '../../lib/version.js'
import type { Endpoint } from '../../platform/postgres/connection.js'
import { Adopting } from '../../platform/postgres/roles/adoption.js'
import { MigrationOperations } from './operations.service.js'
import { type MigrationDeps, MigrationService } from './service.js'

/** The database as its own role, and as the role of migrations over MCP where the operator names one. */
interface Endpoints {
  readonly direct: Endpoint
  readonly migrator: Endpoint | null
}

const BUILT_IN = packageFile('migrations')

/** The runner of the product's own migrations and the operator's. */
export const runnerOf = (
  config: Config,
  { direct }: Pick<Endpoints, 'direct'>,
  more: Pick<MigrationDeps, 'committed' | 'scripts'> = {},
): MigrationService =>
  new MigrationService({
    endpoint: direct,
    builtInDir: BUILT_IN,
    operatorDir: migrationsDir(config),
    appVersion: VERSION,
    ...more,
  })

/** As whom the migrations of clients run. */
export const loginOf = (config: Config, { direct, migrator }: Endpoints) => ({
  direct,
  given: migrator,
  isTrusted: !config.DATABASE_URL,
})

/** What clients and operators may ask of migrations. */
export const operationsOf = (
  config: Config,
  { direct, migrator }: Endpoints,
  runner: MigrationService,
): MigrationOperations =>
  new MigrationOperations({
    runner,
    adopting: new Adopting(direct, migrator),
    directory: migrationsDir(config),
    policy: config.policy.migrations,
    clock: systemClock,
  })
