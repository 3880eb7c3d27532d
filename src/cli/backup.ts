import { type Command, Option } from 'commander'
import type {
  ConfirmedOptions,
  CreateOptions,
  ListOptions,
  Printed,
  PruneOptions,
  RestoreOptions,
  VerifyOptions,
} from './backup-options.js'
import type { Done } from './exit.js'
import type { Env } from './start.js'

const EXIT_CODES = `
Exit codes: 0 done, 1 failed, 2 usage, 3 settings, 4 store or database unreachable, 5 refused or not
confirmed, 7 findings.`

/** The commands about backups; what they do is loaded only when one is called. */
export function addBackup(program: Command, env: Env, done: Done): void {
  const backup = program
    .command('backup')
    .description('Take, look at, verify, restore and prune backups')
    .addHelpText(
      'after',
      `
list, verify, restore and prune need only the store (CATALYST_OBJECT_STORE) and, for what is encrypted, the
identity (CATALYST_BACKUP_IDENTITY_FILE): not the database that was lost.

Examples:
  $ catalyst-db backup create --type full
  $ catalyst-db backup list
  $ catalyst-db backup verify 20261122T074942Z-F-7f3a91
  $ catalyst-db backup restore 20261122T074942Z-F-7f3a91 --dry-run
  $ catalyst-db backup prune --dry-run
${EXIT_CODES}`,
    )
  addLooking(backup, env, done)
  addTaking(backup, env, done)
  addRestoring(backup, env, done)
}

function addLooking(backup: Command, env: Env, done: Done): void {
  printed(backup, 'list', 'Show every backup in the store, the newest first')
    .addOption(new Option('--type <type>', 'only of this type').choices(['full', 'incremental']))
    .addHelpText('after', '\nExample:\n  $ catalyst-db backup list --json')
    .action((options: ListOptions) => done(stored().then((it) => it.list(env, options))))
  printed(backup, 'verify <backup_id>', 'Look whether a backup is whole')
    .addOption(
      new Option(
        '--level <level>',
        'quick: names and sizes; content: every byte; restore: also restores it beside, and drops it',
      )
        .choices(['quick', 'content', 'restore'])
        .default('content'),
    )
    .addHelpText(
      'after',
      '\nExits with 0 when it is whole, 7 when it is not.\n\nExample:\n  $ catalyst-db backup verify 20261122T074942Z-F-7f3a91 --level quick',
    )
    .action((backupId: string, options: VerifyOptions) =>
      done(stored().then((it) => it.verify(env, backupId, options))),
    )
  printed(backup, 'prune', 'Remove what retention no longer keeps')
    .option('--dry-run', 'only show what would be removed')
    .option('--yes', 'confirm it')
    .addHelpText(
      'after',
      '\nWhat is kept: backups.keep_fulls and backups.keep_days of the policy.\n\nExample:\n  $ catalyst-db backup prune --dry-run',
    )
    .action((options: PruneOptions) => done(stored().then((it) => it.prune(env, options))))
}

function addTaking(backup: Command, env: Env, done: Done): void {
  printed(backup, 'create', 'Take a backup')
    .addOption(
      new Option('--type <type>', 'incremental: what was written since')
        .choices(['full', 'incremental'])
        .default('full'),
    )
    .option('--no-compress', 'store the rows as they are')
    .option('--encrypt', 'for the recipients of CATALYST_BACKUP_RECIPIENTS')
    .addHelpText('after', '\nExample:\n  $ catalyst-db backup create --type full --encrypt')
    .action((options: CreateOptions) => done(served().then((it) => it.create(env, options))))
  printed(backup, 'drill [backup_id]', 'Restore the newest full backup beside, look at it, drop it')
    .addHelpText(
      'after',
      '\nExits with 0 when everything is right, 7 when something is not.\n\nExample:\n  $ catalyst-db backup drill',
    )
    .action((backupId: string | undefined, options: Printed) =>
      done(served().then((it) => it.drill(env, backupId ?? null, options))),
    )
  printed(backup, 'stop', 'End the log of the database: drop its slot and publication')
    .option('--yes', 'confirm it')
    .addHelpText('after', '\nExample:\n  $ catalyst-db backup stop --yes')
    .action((options: ConfirmedOptions) => done(served().then((it) => it.stop(env, options))))
}

function addRestoring(backup: Command, env: Env, done: Done): void {
  printed(backup, 'restore <backup_id>', 'Restore into a database beside the one of DATABASE_URL')
    .option('--target-time <instant>', 'as it was then, such as 2026-11-22T07:49:42.123456Z')
    .option('--tables <names...>', 'only these tables, such as catalyst.news')
    .addOption(
      new Option('--mode <mode>', 'swap: in the place of the database of DATABASE_URL')
        .choices(['side', 'swap'])
        .default('side'),
    )
    .option('--dry-run', 'only show how it would be restored')
    .option('--yes', 'confirm a swap')
    .addHelpText(
      'after',
      `
Examples:
  $ catalyst-db backup restore 20261122T074942Z-F-7f3a91 --dry-run
  $ catalyst-db backup restore 20261122T074942Z-I-0c55d2 --target-time 2026-11-22T07:49:42Z
${EXIT_CODES}`,
    )
    .action((backupId: string, options: RestoreOptions) =>
      done(restoring().then((it) => it.restore(env, backupId, options))),
    )
  printed(backup, 'discard <restore_id>', 'Drop a database that was restored')
    .option('--yes', 'confirm it')
    .addHelpText('after', '\nExample:\n  $ catalyst-db backup discard rst_0a1b2c3d4e5f --yes')
    .action((restoreId: string, options: ConfirmedOptions) =>
      done(restoring().then((it) => it.discard(env, restoreId, options))),
    )
}

const printed = (parent: Command, name: string, description: string): Command =>
  parent.command(name).description(description).option('--json', 'print JSON')

const stored = () => import('./backup-stored.js')
const served = () => import('./backup-served.js')
const restoring = () => import('./backup-restore.js')
