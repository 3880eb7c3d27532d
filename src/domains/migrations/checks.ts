import type { Concern, Judgement, MeasuredCheck } from '../../lib/check.js'
import type { MigrationService } from './service.js'

type Status = Awaited<ReturnType<MigrationService['status']>>

interface Seen {
  readonly status: Status | null
  readonly measurement: number
  readonly until: number
}

/** Files and ledger are compared at most so often, in milliseconds, and the less often the longer that takes. */
const REST_MS = 5_000
const REST_PER_MS = 60
const NAMED = 5
const NOT_READ = 'The migrations could not be compared with what the database remembers of them.'

/** What is to be said of migrations: what waits, and where files and ledger disagree. */
export function migrationChecks(runner: Pick<MigrationService, 'status'>): MeasuredCheck[] {
  let looking: Promise<Seen> | null = null
  const look = async (): Promise<Seen> => {
    const seen = await looking
    if (seen && performance.now() < seen.until) return seen
    looking = compare(runner)
    return looking
  }
  const judged = async (judge: (status: Status) => Judgement): Promise<Judgement> => {
    const { status, measurement } = await look()
    return status ? { ...judge(status), measurement } : { unknown: NOT_READ }
  }
  return [
    { name: 'migrations_pending', measure: () => judged(pending) },
    { name: 'migrations_problem', measure: () => judged(problem) },
  ]
}

/** A database that is away is told as such; here it only is not known. */
async function compare(runner: Pick<MigrationService, 'status'>): Promise<Seen> {
  const measurement = performance.now()
  const status = await runner.status().catch(() => null)
  const took = performance.now() - measurement
  return { status, measurement, until: performance.now() + Math.max(REST_MS, took * REST_PER_MS) }
}

function pending({ current_version, pending_migrations: waiting }: Status): Judgement {
  const value = waiting.length
  if (value === 0) return { value, threshold: 1, concerns: [] }
  const versions = waiting.slice(0, NAMED).map(({ version }) => version)
  const concern: Concern = {
    severity: 'info',
    object: null,
    title: `${value} ${value === 1 ? 'migration waits' : 'migrations wait'} to be run: ${versions.join(', ')}${value > NAMED ? ' and more' : ''}.`,
    evidence: { current_version, pending: value, versions },
    threshold: 1,
    next_step: 'See what they would do with a dry run, then run them.',
    tool: { name: 'run_migrations', arguments: { dry_run: true } },
  }
  return { value, threshold: 1, concerns: [concern] }
}

function problem({ problems }: Status): Judgement {
  const concerns = problems.slice(0, NAMED).map(
    ({ problem: kind, version, message, next_step }): Concern => ({
      severity: 'critical',
      object: `migration ${version}`,
      title: message,
      evidence: { problem: kind, version },
      threshold: 1,
      next_step,
      tool: { name: 'read_resource', arguments: { uri: 'db/migrations/status' } },
    }),
  )
  return { value: problems.length, threshold: 1, concerns }
}
