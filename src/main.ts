#!/usr/bin/env node
import { Command } from 'commander'
import { EXIT, fail } from './cli/exit.js'
import { addMigrate } from './cli/migrate.js'
import { VERSION } from './lib/version.js'

const program = new Command('catalyst-db')
  .description('Safe, exact, observable access to PostgreSQL, Redis and an object store over MCP.')
  .version(VERSION)
  // Else "migrate baseline --version 1003" would print the version of the program.
  .enablePositionalOptions()
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.ok : EXIT.usage))
  .addHelpText(
    'after',
    `
Without a command it speaks MCP on stdin and stdout, as a client's configuration runs it.

Examples:
  $ catalyst-db serve                  serve http://127.0.0.1:8642/mcp
  $ catalyst-db status --json          the health of the database
  $ catalyst-db doctor                 what is wrong, and how to mend it
  $ catalyst-db migrate up --dry-run   what a change of the schema would do
  $ claude mcp add catalyst-db -- npx -y catalyst-db`,
  )
  .argument('[command]')
  .action(async (command?: string) => {
    if (command) program.error(`error: unknown command "${command}"; see catalyst-db --help`)
    await (await import('./cli/stdio.js')).stdio(process.env)
  })

program
  .command('serve')
  .description('Serve MCP over Streamable HTTP (HOST, PORT)')
  .addHelpText('after', '\nExample:\n  $ PORT=9000 catalyst-db serve')
  .action(async () => (await import('./cli/serve.js')).serve(process.env))

program
  .command('status')
  .description('Show the health of the database')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExits with 0 when healthy, 7 when not, 4 when PostgreSQL is down.')
  .action(async (options: { json?: boolean }) =>
    (await import('./cli/status.js')).status(process.env, options),
  )

program
  .command('doctor')
  .description('Check everything the server needs, with a fix for each problem')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExits with 0 when nothing is wrong, 7 when something is.')
  .action(async (options: { json?: boolean }) =>
    (await import('./cli/doctor.js')).doctor(process.env, options),
  )

program
  .command('config')
  .description('Look at the settings')
  .command('print')
  .description('Print the settings in use; secrets are not shown')
  .option('--json', 'print JSON')
  .action(async (options: { json?: boolean }) =>
    (await import('./cli/config.js')).printConfig(process.env, options),
  )

program
  .command('audit')
  .description('Look at the audit log')
  .command('verify')
  .description('Check that no entry of the audit log was changed or removed')
  .option('--json', 'print JSON')
  .addHelpText('after', '\nExits with 0 when the chain is intact, 7 when it is broken.')
  .action(async (options: { json?: boolean }) =>
    (await import('./cli/audit.js')).printAudit(process.env, options),
  )

addMigrate(program, process.env)

program.parseAsync().catch((error: unknown) => fail(error))
