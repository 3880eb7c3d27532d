import { type Command, InvalidArgumentError } from 'commander'
import type { Done } from './exit.js'
import type {
  AdoptOptions,
  BaselineOptions,
  CreateOptions,
  DownOptions,
  HistoryOptions,
  Printed,
  RepairOptions,
  UpOptions,
} from './migrate-options.js'
import type { Env } from './start.js'

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 usage, 3 settings, 4 database unreachable, 5 refused by policy or
not confirmed, 7 findings.`

/** The commands about migrations; what they do is loaded only when one is called. */
export function addMigrate(program: Command, env: Env, done: Done): void {
  const migrate = program
    .command('migrate')
    .description('Look at and change the schema by migration files')
    .addHelpText(
      'after',
      `
Examples:
  $ catalyst-db migrate create add_tags --up tags.sql --down untags.sql
  $ catalyst-db migrate lint
  $ catalyst-db migrate up --dry-run
  $ catalyst-db migrate up
  $ catalyst-db migrate down --target 1003
${EXIT_CODES}`,
    )
  addRunning(migrate, env, done)
  addFiles(migrate, env, done)
  addMending(migrate, env, done)
}

function addRunning(migrate: Command, env: Env, done: Done): void {
  printed(migrate, 'status', 'Show what is applied, what is pending, and what is wrong')
    .addHelpText(
      'after',
      '\nExits with 0 when nothing is wrong, 7 when something is.\n\nExample:\n  $ catalyst-db migrate status',
    )
    .action((options: Printed) => done(running().then((it) => it.status(env, options))))
  printed(migrate, 'history', 'Show what was done to the schema, the newest first')
    .option('--limit <rows>', 'so many rows at most (100)', rows)
    .addHelpText('after', '\nExample:\n  $ catalyst-db migrate history --limit 20')
    .action((options: HistoryOptions) => done(running().then((it) => it.history(env, options))))
  printed(migrate, 'up', 'Apply what is pending')
    .option('--target <version>', 'stop after this version', version)
    .option('--dry-run', 'run it and roll it back; takes the real locks for that long')
    .option('--yes', 'confirm what loses data or makes others wait')
    .addHelpText(
      'after',
      `
Examples:
  $ catalyst-db migrate up --dry-run --json
  $ catalyst-db migrate up --target 1004 --yes
${EXIT_CODES}`,
    )
    .action((options: UpOptions) => done(running().then((it) => it.up(env, options))))
  printed(migrate, 'down', 'Undo every migration above a version, the highest first')
    .requiredOption('--target <version>', 'the version to go back to', version)
    .option('--include-built-in', 'also those of catalyst-db, before an older release is installed')
    .option('--yes', 'confirm it')
    .addHelpText('after', `\nExample:\n  $ catalyst-db migrate down --target 1003\n${EXIT_CODES}`)
    .action((options: DownOptions) => done(running().then((it) => it.down(env, options))))
}

function addFiles(migrate: Command, env: Env, done: Done): void {
  printed(migrate, 'create <name>', 'Write a new migration under the next free version')
    .option('--up <file>', 'the statements, "-" for standard input', '-')
    .option('--down <file>', 'the statements that undo them; without it nothing does')
    .option('--description <text>', 'one line')
    .addHelpText(
      'after',
      `
Examples:
  $ catalyst-db migrate create add_tags --up tags.sql --down untags.sql
  $ echo 'create table tags (id int)' | catalyst-db migrate create add_tags`,
    )
    .action((name: string, options: CreateOptions) =>
      done(files().then((it) => it.create(env, name, options))),
    )
  printed(migrate, 'lint [files...]', 'Look for what loses data or makes others wait')
    .addHelpText(
      'after',
      `
Without files it reads those of CATALYST_MIGRATIONS_DIR. Needs no database; sizes of tables are then
not known, so every table counts as big.

Exits with 7 when something would be refused or has to be confirmed.

Examples:
  $ catalyst-db migrate lint
  $ catalyst-db migrate lint 1004_add_tags.up.sql --json`,
    )
    .action((paths: string[], options: Printed) =>
      done(files().then((it) => it.lint(env, paths, options))),
    )
}

function addMending(migrate: Command, env: Env, done: Done): void {
  printed(migrate, 'baseline', 'Note migrations as applied without running them')
    .requiredOption('--version <version>', 'the last one that the database has already', version)
    .addHelpText('after', '\nExample:\n  $ catalyst-db migrate baseline --version 1010')
    .action((options: BaselineOptions) => done(mending().then((it) => it.baseline(env, options))))
  printed(migrate, 'repair', 'Show how the ledger would be brought in line with the files')
    .option('--yes', 'do it')
    .addHelpText(
      'after',
      '\nChanges rows of the ledger, never the schema. Without --yes it only lists them.\n\nExample:\n  $ catalyst-db migrate repair --yes',
    )
    .action((options: RepairOptions) => done(mending().then((it) => it.repair(env, options))))
  printed(
    migrate,
    'adopt <name>',
    'Print the SQL that lets migrations over MCP change a schema or table',
  )
    .option('--run', 'run it, once confirmed')
    .option('--yes', 'run it without a question')
    .addHelpText(
      'after',
      `
It hands the schema with all in it, or the table with its partitions and sequences, over to the role that
migrations over MCP run as. Whoever owned it keeps its rights. The schema catalyst is never handed over.
A name without a dot is a schema, if there is one, else a table of the schema public.

Examples:
  $ catalyst-db migrate adopt public.orders
  $ catalyst-db migrate adopt app --run
${EXIT_CODES}`,
    )
    .action((name: string, options: AdoptOptions) =>
      done(mending().then((it) => it.adopt(env, name, options))),
    )
}

const printed = (migrate: Command, name: string, description: string): Command =>
  migrate.command(name).description(description).option('--json', 'print JSON')

const running = () => import('./migrate-run.js')
const files = () => import('./migrate-files.js')
const mending = () => import('./migrate-mend.js')

function version(text: string): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value <= 2_147_483_647) return value
  throw new InvalidArgumentError('It must be a version, such as 1003.')
}

function rows(text: string): number {
  const value = /^\d{1,4}$/.test(text) ? Number(text) : 0
  if (value >= 1 && value <= 1_000) return value
  throw new InvalidArgumentError('It must be a number of rows from 1 to 1000.')
}
