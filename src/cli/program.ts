import { Command, CommanderError } from 'commander'
import { VERSION } from '../lib/version.js'
import { addBackup } from './backup.js'
import { type Done, EXIT, fail } from './exit.js'
import { addMigrate } from './migrate.js'
import { watchSignals } from './signals.js'
import type { Env } from './start.js'
import { leave, outliveReaders, tell, write } from './terminal.js'

/** Runs the command that the arguments name, and ends the process with its exit code. */
export async function run(argv: readonly string[], env: Env): Promise<never> {
  outliveReaders()
  watchSignals()
  try {
    let exitCode: number = EXIT.ok
    const program = commands(env, async (command) => {
      exitCode = await command
    })
    // Without a command it is what a client's configuration runs.
    const words = argv.length > 2 ? named(program, argv.slice(2)) : ['stdio']
    await program.parseAsync(words, { from: 'user' })
    return await leave(exitCode)
  } catch (error) {
    if (error instanceof CommanderError) return leave(error.exitCode === 0 ? EXIT.ok : EXIT.usage)
    if (env.LOG_LEVEL === 'debug' && error instanceof Error) tell(`${error.stack}\n`)
    return fail(error)
  }
}

/**
 * The words as commander understands them: where one before --help or after help is no command, it would show
 * another command's help; the words up to there alone it refuses, with the nearest.
 */
function named(program: Command, words: readonly string[]): readonly string[] {
  const path: string[] = []
  let group = program
  for (const word of words) {
    if (group.commands.length === 0) return words
    if (word.startsWith('-') || word === 'help') continue
    path.push(word)
    const found = group.commands.find((command) => command.name() === word)
    if (!found) return path
    group = found
  }
  return words.includes('help') ? [...path, '--help'] : words
}

function commands(env: Env, done: Done): Command {
  const program = new Command('catalyst-db')
    .description(
      'Safe, exact, observable access to PostgreSQL, Redis and an object store over MCP.',
    )
    .version(VERSION)
    // Else "migrate baseline --version 1003" would print the version of the program.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('See catalyst-db --help.')
    .configureOutput({
      writeOut: write,
      writeErr: tell,
    })
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
  program
    .command('stdio')
    .description('Speak MCP on stdin and stdout (also without any command)')
    .addHelpText('after', '\nExample:\n  $ claude mcp add catalyst-db -- npx -y catalyst-db')
    .action(() => done(import('./stdio.js').then(({ stdio }) => stdio(env))))
  program
    .command('serve')
    .description('Serve MCP over Streamable HTTP (HOST, PORT)')
    .addHelpText('after', '\nExamples:\n  $ catalyst-db serve\n  $ PORT=9000 catalyst-db serve')
    .action(() => done(import('./serve.js').then(({ serve }) => serve(env))))
  printed(program, 'status', 'Show the health of the database')
    .addHelpText(
      'after',
      `
Starts and changes nothing. Exits with 0 when healthy, 7 when not, 4 when PostgreSQL cannot be used.

Examples:
  $ catalyst-db status
  $ catalyst-db status --json`,
    )
    .action((options) => done(import('./status.js').then(({ status }) => status(env, options))))
  printed(program, 'doctor', 'Check everything the server needs, with a fix for each problem')
    .addHelpText(
      'after',
      `
Starts and changes nothing. Exits with 0 when nothing is wrong, 7 when something is, 4 when PostgreSQL
cannot be used.

Examples:
  $ catalyst-db doctor
  $ DATABASE_URL=postgresql://trader@db.example/market catalyst-db doctor --json`,
    )
    .action((options) => done(import('./doctor.js').then(({ doctor }) => doctor(env, options))))
  printed(program, 'maintain', 'Run the maintenance of the database, and go on with it')
    .option('--once', 'end after one round')
    .option('--dry-run', 'only say what would be done in the first round')
    .option('--stop', 'emergency stop: no server of this database does anything by itself')
    .option('--resume', 'let go of the emergency stop')
    .option('--enable <action>', 'let an action be done again that had made things worse')
    .addHelpText(
      'after',
      `
Does what the policy allows, proposes the rest, and prints the report. With --once it exits with 0 when the database
is healthy, 7 when not.

Examples:
  $ catalyst-db maintain --once
  $ catalyst-db maintain --once --dry-run --json
  $ catalyst-db maintain --stop`,
    )
    .action((options) =>
      done(import('./maintain.js').then(({ maintain }) => maintain(env, options))),
    )
  const config = program.command('config').description('Look at the settings')
  config.addHelpText('after', '\nExample:\n  $ catalyst-db config print')
  printed(config, 'print', 'Print the settings and the policy in use; secrets are not shown')
    .addHelpText(
      'after',
      '\nExamples:\n  $ catalyst-db config print\n  $ catalyst-db config print --json',
    )
    .action((options) =>
      done(import('./config.js').then(async (it) => it.printConfig(env, options))),
    )
  const audit = program.command('audit').description('Look at the audit log')
  audit.addHelpText('after', '\nExample:\n  $ catalyst-db audit verify')
  printed(audit, 'verify', 'Check that no entry of the audit log was changed or removed')
    .addHelpText(
      'after',
      '\nExits with 0 when the chain is intact, 7 when it is broken.\n\nExample:\n  $ catalyst-db audit verify',
    )
    .action((options) => done(import('./audit.js').then((it) => it.printAudit(env, options))))
  const token = program.command('token').description('Tokens of callers over HTTP')
  token.addHelpText('after', '\nExample:\n  $ catalyst-db token create dashboard --scopes db:read')
  printed(token, 'create', 'Make a token; its line goes to the file of CATALYST_TOKENS')
    .argument('<name>', 'whose it is, as the audit will say')
    .requiredOption('--scopes <list>', 'what it is good for, such as db:read,db:write')
    .addHelpText(
      'after',
      `
Scopes: db:read, db:write, db:migrate, db:backup, db:restore, db:admin; with toolset:NAME only those tools are shown.

Examples:
  $ CATALYST_TOKENS=tokens catalyst-db token create news-collector --scopes db:read,db:write
  $ catalyst-db token create dashboard --scopes db:read --json`,
    )
    .action((name, options) =>
      done(import('./token.js').then((it) => it.createToken(name, options, env))),
    )
  addMigrate(program, env, done)
  addBackup(program, env, done)
  return program
}

const printed = (parent: Command, name: string, description: string): Command =>
  parent.command(name).description(description).option('--json', 'print JSON')
