import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { sequences } from '../full/catalog.sql.js'
import { Progress } from '../progress.js'
import { brokenObjects, brokenRules, countRows, hasTrading, schemaNow } from './drill.sql.js'
import { furthest } from './finish.sql.js'
import type { Plan } from './plan.js'
import { prepare, type RestoreDeps, type Restored, restoreBeside } from './restore.js'
import { dropSide, RESTORER } from './side.js'

/** What came of restoring a backup to prove that it can be. */
export interface Drilled {
  readonly valid: boolean
  /** Sentences that say what is wrong. */
  readonly issues: readonly string[]
  readonly not_checked: readonly string[]
  readonly phases: readonly { readonly name: string; readonly duration_ms: number }[]
  /** From nothing to a database that can be used, without the looks at it. */
  readonly restore_ms: number
}

interface DrillCall {
  readonly signal: AbortSignal
  readonly progress: (done: number, total: number, message: string) => void
}

/**
 * Restores a backup beside, looks whether everything in it is right, and drops it again, whatever comes of it.
 *
 * @throws AppError when it cannot be restored at all
 */
export async function drill(
  deps: RestoreDeps,
  backupId: string,
  call: DrillCall,
): Promise<Drilled> {
  const { signal } = call
  const request = { backupId, targetTime: null, tables: null, isDrill: true }
  const progress = new Progress((done, total, message) => call.progress(done, total, message))
  const prepared = await prepare(deps, request, signal)
  const restored = await restoreBeside(deps, prepared, request, { signal, progress })
  try {
    const started = performance.now()
    const { issues, notChecked } = await look(deps.endpoint, restored, prepared.plan)
    const looked = { name: 'Looking at what came of it', duration_ms: elapsed(started) }
    const { phases } = restored
    return {
      valid: issues.length === 0,
      issues,
      not_checked: notChecked,
      phases: [...phases, looked],
      restore_ms: phases.reduce((sum, { duration_ms }) => sum + duration_ms, 0),
    }
  } finally {
    await dropSide(deps.endpoint, restored.database)
  }
}

const majorOf = (version: number): number => Math.trunc(version / 10_000)

const elapsed = (started: number): number => Math.round(performance.now() - started)

/** Everything that is wrong, in sentences. */
const look = (endpoint: Endpoint, restored: Restored, { full, segments }: Plan) =>
  DirectSession.use(
    endpoint,
    async (session) => {
      const issues: string[] = []
      const notChecked: string[] = []
      for (const { schema, name, rows } of restored.tables) {
        const [counted] = await session.many(countRows(schema, name))
        if (counted?.rows === rows) continue
        issues.push(`The table ${schema}.${name} has ${counted?.rows} rows instead of ${rows}.`)
      }
      const [trading] = await session.many(hasTrading())
      const found = [
        ...(await session.many(brokenObjects())),
        ...(trading?.found ? await session.many(brokenRules()) : []),
      ]
      issues.push(...found.map(({ wrong }) => `After the restore ${wrong}.`))
      issues.push(...(await behindSequences(session)))
      const [schema] = await session.many(schemaNow())
      const [is, was] = [schema?.version_num ?? 0, full.server.version_num].map(majorOf)
      // What the log has changed has another fingerprint.
      const isComparable = segments.length === 0
      if (isComparable && is !== was) {
        notChecked.push(
          `The definitions of the schema: PostgreSQL ${is} words them otherwise than ${was}.`,
        )
      } else if (isComparable && schema?.fingerprint !== full.schema_fingerprint) {
        issues.push('The restored schema is not the one that was backed up.')
      }
      return { issues, notChecked }
    },
    { name: RESTORER, database: restored.database },
  )

/** Sequences that would give out a value that is there. */
async function behindSequences(session: DirectSession): Promise<string[]> {
  const issues: string[] = []
  for (const sequence of await session.many(sequences())) {
    const { owner, quoted, last_value, increment_by } = sequence
    if (!owner) continue
    const [row] = await session.many(furthest(sequence))
    if (row?.value === null || row?.value === undefined) continue
    const [last, most] = [BigInt(last_value ?? 0), BigInt(row.value)]
    const isBehind = increment_by.startsWith('-') ? last > most : last < most
    if (isBehind)
      issues.push(`The sequence ${quoted} would give out a value that is in its column.`)
  }
  return issues
}
