import { part } from '../../kernel/part.js'
import { MigratorLogin } from '../../platform/postgres/roles/migrator-login.js'
import { migrationChecks } from './checks.js'
import { loginOf, operationsOf, runnerOf } from './construct.js'
import * as resources from './resources.js'
import { SchemaKeeper } from './schema-keeper.js'
import * as tools from './tools.js'

/** The product's own schema, brought up to date at the start. */
export const schema = part({
  name: 'schema',
  start: (kernel) => {
    const { config, systems, eventLog } = kernel
    const runner = runnerOf(config, systems, {
      committed: () => eventLog.poke(),
      scripts: new MigratorLogin(loginOf(config, systems)),
    })
    const keeper = new SchemaKeeper({ ...kernel, migrations: runner })
    kernel.onOpen(() => keeper.start())
    kernel.onClose(() => keeper.stop())
    return keeper
  },
})

/** Changes of the schema. */
export const migrations = part({
  name: 'migrations',
  tasks:
    'write, check, run and roll back a schema change (SQL), its dry run with locks and losses, history',
  tools,
  resources,
  start: ({ config, systems, the, check }) => {
    const runner = the(schema).migrations
    for (const one of migrationChecks(runner)) check(one)
    return operationsOf(config, systems, runner)
  },
})
