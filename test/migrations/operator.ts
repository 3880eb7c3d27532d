import { readdirSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { isConfirmed, type Plan } from '../../src/domains/migrations/plan.js'
import { MigrationService } from '../../src/domains/migrations/service.js'
import { AppError } from '../../src/errors.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { createDatabase, type TestDatabase } from '../support/database.js'

export const BUILT_IN = fileURLToPath(new URL('../../migrations', import.meta.url))
/** The newest version of the product itself. */
export const BUILT_IN_VERSION = Math.max(
  ...readdirSync(BUILT_IN).map((file) => Number.parseInt(file, 10)),
)
const ACTOR = { by: 'tester', requestId: 'req_1' }

/** Somebody with a database of their own and a folder of migrations of their own. */
export class Operator {
  readonly database: TestDatabase
  readonly directory: string
  readonly service: MigrationService

  private constructor(database: TestDatabase, directory: string) {
    this.database = database
    this.directory = directory
    this.service = this.another()
  }

  /** Both are removed after the test. */
  static async start(
    files: Record<string, string> = {},
    options: { empty?: boolean } = {},
  ): Promise<Operator> {
    const database = await createDatabase(options)
    const directory = await newFolder()
    onTestFinished(() => database.drop())
    const operator = new Operator(database, directory)
    await operator.write(files)
    return operator
  }

  /** Another runner of the same database. */
  another(operatorDir = this.directory): MigrationService {
    return new MigrationService({
      endpoint: parseDatabaseUrl(this.database.url),
      builtInDir: BUILT_IN,
      operatorDir,
      appVersion: 'test',
    })
  }

  /** Writes migration files, named without their `.sql`. */
  async write(files: Record<string, string>): Promise<void> {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(this.directory, `${name}.sql`), text)
    }
  }

  read(name: string): Promise<string> {
    return readFile(join(this.directory, `${name}.sql`), 'utf8')
  }

  remove(name: string): Promise<void> {
    return rm(join(this.directory, `${name}.sql`))
  }

  /** What `up` would do now. */
  async planUp(target: number | null) {
    const { version, tasks, ...plan } = await this.service.plan({ direction: 'up', target })
    return { ...plan, new_version: version, migrations: tasks.map(planned) }
  }

  /** What `down` would do now. */
  async planDown(target: number, includeBuiltIn: boolean) {
    const course = { direction: 'down', target, includeBuiltIn } as const
    const { version, tasks, ...plan } = await this.service.plan(course)
    return { ...plan, current_version: version, rollbacks: tasks.map(planned) }
  }

  /** Makes the ledger agree with the files, as it was confirmed or whatever it takes. */
  repair(actor: typeof ACTOR | { by: string; requestId: null }, confirmedPlan: string | null) {
    return this.service.repair(actor, ({ digest }) =>
      isConfirmed({ digest, destructive: false }, confirmedPlan),
    )
  }

  /** Confirms whatever the plan is, and runs it; answers the versions. */
  async up(options: Partial<Options> = {}): Promise<number[]> {
    const outcome = await confirming(
      () => this.planUp(options.target ?? null),
      (confirmedPlan) => this.service.up(run({ confirmedPlan, ...options })),
    )
    return outcome.migrations_applied.map(({ version }) => version)
  }

  /** The same downwards. */
  async down(target: number, includeBuiltIn = false): Promise<number[]> {
    const outcome = await confirming(
      () => this.planDown(target, includeBuiltIn),
      (confirmedPlan) =>
        this.service.rollback({ ...run({ confirmedPlan }), target, includeBuiltIn }),
    )
    return [...outcome.rolled_back]
  }

  /** The operator's applied versions. */
  async applied(): Promise<number[]> {
    const rows = await this.database.query<{ version: number }>(
      `select version from catalyst.schema_migrations
       where version >= 1000 and status = 'applied' order by 1`,
    )
    return rows.map(({ version }) => version)
  }

  /** Whether there is a relation of that name. */
  async has(relation: string): Promise<boolean> {
    const [row] = await this.database.query<{ present: boolean }>(
      'select to_regclass($1) is not null as present',
      [relation],
    )
    return row?.present === true
  }

  /** Version and direction of every entry of the log of the operator's files, oldest first. */
  async log(): Promise<string[]> {
    const rows = await this.database.query<{ entry: string }>(
      `select direction || ' ' || version as entry from catalyst.schema_migration_log
       where version >= 1000 order by log_id`,
    )
    return rows.map(({ entry }) => entry)
  }
}

interface Options {
  readonly target: number | null
  readonly confirmedPlan: string | null
  readonly signal: AbortSignal
  progress(done: number, total: number, message: string): void
}

const planned = ({ version, name, done, script }: Plan['tasks'][number]) => ({
  version,
  name,
  transactional: script.isTransactional,
  statements: script.steps.length,
  statements_done: done,
})

/** Options of a run that nobody confirmed, or only that plan. */
export const run = ({ confirmedPlan = null, ...options }: Partial<Options> = {}) => ({
  target: null,
  actor: ACTOR,
  confirms: (plan: Plan) => isConfirmed(plan, confirmedPlan),
  signal: new AbortController().signal,
  progress: () => {},
  ...options,
})

/** Confirms what a run has met, as often as it meets something. */
async function confirming<T>(
  plan: () => Promise<{ readonly digest: string }>,
  act: (digest: string) => Promise<T>,
): Promise<T> {
  for (let asked = 1; ; asked++) {
    const { digest } = await plan()
    try {
      return await act(digest)
    } catch (error) {
      const isQuestion = error instanceof AppError && error.code === 'confirmation_required'
      if (!isQuestion || asked === 5) throw error
    }
  }
}

/** The refusal of something that must be refused. */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  try {
    await work
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
  throw new Error('it was not refused')
}

async function newFolder(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'catalyst-migrations-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  return directory
}
