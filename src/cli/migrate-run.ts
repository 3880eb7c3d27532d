import { AppError } from '../errors.js'
import { confirmed } from './confirm.js'
import { EXIT } from './exit.js'
import { lintLine } from './lint-line.js'
import type { DownOptions, HistoryOptions, Printed, UpOptions } from './migrate-options.js'
import { type Operations, withMigrations } from './migrations.js'
import { print } from './print.js'
import type { ProgressLines } from './progress.js'
import type { Env } from './start.js'
import { table } from './table.js'

/** Prints where the schema stands; exits with 7 when something is wrong. */
export const status = (env: Env, options: Printed): Promise<number> =>
  withMigrations(env, 'present', async (operations) => {
    const found = await operations.status()
    print(found, options, readableStatus)
    return found.problems.length === 0 ? EXIT.ok : EXIT.findings
  })

/** Prints a page of what was done to the schema, the newest first. */
export const history = (env: Env, options: HistoryOptions): Promise<number> =>
  withMigrations(env, 'present', async (operations) => {
    print(await operations.history({ limit: options.limit ?? 100 }), options, readableHistory)
    return EXIT.ok
  })

/** Applies what is pending, or runs and undoes it. */
export const up = (env: Env, options: UpOptions): Promise<number> =>
  withMigrations(env, 'made', async (operations, call, progress) => {
    const request = { target: options.target ?? null, dry_run: options.dryRun ?? false }
    const done = await asking(async () => {
      const question = await operations.askUp(request)
      const command = `migrate up --target ${question?.plan.new_version}`
      const confirmedPlan = question ? await confirmed(question, options, command) : null
      return following(progress, () => operations.up(request, { ...call, confirmedPlan }))
    })
    print(done, options, readableUp)
    return EXIT.ok
  })

/** Shows the progress of a run while it lasts. */
const following =
  <T>(progress: ProgressLines, run: () => Promise<T>) =>
  async (): Promise<T> => {
    progress.begin()
    const done = await run()
    progress.end()
    return done
  }

/** Each file may lose something that only its run shows, and that is then asked. */
const MAX_QUESTIONS = 10

/** Asks and runs; again when the run itself has met what nobody was asked yet. */
async function asking<T>(ask: () => Promise<() => Promise<T>>): Promise<T> {
  for (let asked = 1; ; asked++) {
    const run = await ask()
    try {
      return await run()
    } catch (error) {
      const isQuestion = error instanceof AppError && error.code === 'confirmation_required'
      if (!isQuestion || asked === MAX_QUESTIONS) throw error
    }
  }
}

/** Undoes everything above the target. */
export const down = (env: Env, options: DownOptions): Promise<number> =>
  withMigrations(env, 'present', async (operations, call, progress) => {
    const { target, includeBuiltIn = false } = options
    const done = await asking(async () => {
      const question = await operations.askRollback({ target, includeBuiltIn }, call)
      const command = `migrate down --target ${target}${includeBuiltIn ? ' --include-built-in' : ''}`
      const confirmedPlan = question ? await confirmed(question, options, command) : null
      return following(progress, () =>
        operations.rollback({ target, includeBuiltIn }, { ...call, confirmedPlan }),
      )
    })
    print(done, options, readableDown)
    return EXIT.ok
  })

function readableStatus({
  current_version,
  pending_migrations,
  problems,
}: Awaited<ReturnType<Operations['status']>>): string {
  const pending = pending_migrations.map(({ version, name, description }) => [
    String(version),
    name,
    description,
  ])
  const wrong = problems.map(
    ({ problem, message, next_step }) => `\n${problem}: ${message}\n  ${next_step}\n`,
  )
  const heading = `version ${current_version}, ${pending.length} pending\n`
  const rows = pending.length > 0 ? `\n${table(['PENDING', 'NAME', 'DESCRIPTION'], pending)}` : ''
  return heading + rows + wrong.join('')
}

function readableHistory({
  migrations,
  next_cursor,
}: Awaited<ReturnType<Operations['history']>>): string {
  if (migrations.length === 0) return 'Nothing was done to the schema yet.\n'
  const rows = migrations.map(
    ({ applied_at, version, direction, name, duration_ms, applied_by }) => [
      applied_at,
      String(version),
      direction,
      name,
      `${duration_ms} ms`,
      applied_by,
    ],
  )
  const more = next_cursor === null ? '' : 'There is more: --limit 1000 shows up to a thousand.\n'
  return table(['AT', 'VERSION', 'DIRECTION', 'NAME', 'TIME', 'BY'], rows) + more
}

type Done = Awaited<ReturnType<Operations['up']>>
type Result = Done['migrations_applied'][number]

function readableUp({ migrations_applied, new_version, note }: Done): string {
  const rows = migrations_applied.map(({ version, name, status, duration_ms, statements }) => [
    String(version),
    name,
    status.replace('_', ' '),
    duration_ms === null ? '' : `${duration_ms} ms`,
    String(statements),
  ])
  const heading = ['VERSION', 'NAME', 'STATUS', 'TIME', 'STATEMENTS']
  const shown = rows.length > 0 ? table(heading, rows) : 'Nothing was pending.\n'
  const remarks = [...migrations_applied.flatMap(details), ...(note === null ? [] : [note])]
  return [...remarks, `version ${new_version}`].reduce((all, line) => `${all}${line}\n`, shown)
}

/** What is worth knowing of one file beside its row; of what is done, its locks are gone. */
function details({ version, status, reason, ...file }: Result): string[] {
  const { locks, rewrites, losses, lint } = file
  return [
    ...(reason === null ? [] : [reason]),
    ...(status === 'dry_run'
      ? [...(locks ?? []).map(lockLine), ...(rewrites ?? []).map(rewriteLine)]
      : []),
    ...(losses ?? []),
    ...lint.map(lintLine),
  ].map((line) => `${version}: ${line}`)
}

const lockLine = ({ statement, mode, relation }: NonNullable<Result['locks']>[number]): string =>
  `statement ${statement} locks ${relation}: ${mode}`

const rewriteLine = ({ statement, relation }: NonNullable<Result['rewrites']>[number]): string =>
  `statement ${statement} rewrites ${relation}`

function readableDown({
  rolled_back,
  current_version,
}: Awaited<ReturnType<Operations['rollback']>>): string {
  const what = rolled_back.length > 0 ? `rolled back ${rolled_back.join(', ')}` : 'nothing to undo'
  return `${what}\nversion ${current_version}\n`
}
