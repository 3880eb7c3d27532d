import { AppError } from '../../../errors.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { formatLsn } from '../../../platform/postgres/replication/lsn.js'
import type { Archive } from '../archive/archive.js'
import type { BackupObject } from '../archive/manifest.js'
import { schemaProofs } from '../capture/sql.js'
import type { Catalog } from '../full/catalog.js'
import { serverFacts } from '../full/server.sql.js'
import type { Progress } from '../progress.js'
import {
  foreignKeyOf,
  keepOnly,
  makeExtensions,
  namesOfTables,
  notFinished,
  refreshViews,
  restoreRights,
  setSequences,
} from './finish.js'
import { inspect, loadRows, openObject, readCatalog, readText, type Source } from './load.js'
import { estimateOf, type Plan, planRestore, type Wanted } from './plan.js'
import { Pending, Replay, type Replayed, type TableCount } from './replay.js'
import { phasesOf } from './script.js'
import {
  type Description,
  describeSide,
  dropSide,
  makeSide,
  newRestoreId,
  RESTORER,
  sideName,
} from './side.js'
import { makeMeta, writeMeta } from './side.sql.js'
import { isNeeded, type Selection, select } from './tables.js'

/** What a restore is made from. */
export interface RestoreDeps {
  readonly archive: Archive
  /** The server on which the database is made; its name begins with that of this one. */
  readonly endpoint: Endpoint
  readonly identities: readonly string[]
  readonly workers: number
  readonly keepHours: number
  /** Brings what only a superuser may make, where one is at hand. */
  readonly prepare?: ((database: string) => Promise<void>) | undefined
  /** Named places at which a test may end the process. */
  readonly step?: ((name: string) => unknown) | undefined
}

/** What is asked for. */
export interface RestoreRequest extends Wanted {
  readonly tables: readonly string[] | null
  /** A drill looks like one from outside. */
  readonly isDrill?: boolean
}

/** Who asks. */
interface RestoreCall {
  readonly signal: AbortSignal
  readonly progress: Progress
}

/** How it would be restored. */
export interface Prepared {
  readonly plan: Plan
  readonly catalog: Catalog
  readonly selection: Selection
  readonly objects: readonly BackupObject[]
}

/** A database that was restored beside. */
export interface Restored {
  readonly restore_id: string
  readonly database: string
  readonly description: Description
  readonly recovered_to: { readonly time: string; readonly lsn: string }
  readonly tables: readonly TableCount[]
  readonly warnings: readonly string[]
  readonly phases: readonly { readonly name: string; readonly duration_ms: number }[]
}

/**
 * Finds out how something can be restored, without making anything.
 *
 * @throws AppError that says why it cannot be
 */
export async function prepare(
  deps: RestoreDeps,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<Prepared> {
  const { archive, identities } = deps
  const plan = await planRestore(archive, request, identities)
  const catalog = await readCatalog({ archive, identities, signal }, plan.full)
  const selection = select(catalog, request.tables)
  const needed = new Set(
    catalog.tables.filter(({ schema, name }) => isNeeded(schema, name)).map(({ oid }) => oid),
  )
  const objects = plan.full.objects.filter(
    ({ role, table_oid = 0 }) =>
      role === 'data' && (selection.oids.has(table_oid) || needed.has(table_oid)),
  )
  return { plan, catalog, selection, objects }
}

/**
 * Restores beside the database that is there. What it makes is dropped again when anything fails.
 *
 * @throws AppError; nothing is left then
 */
export async function restoreBeside(
  deps: RestoreDeps,
  prepared: Prepared,
  request: RestoreRequest,
  call: RestoreCall,
): Promise<Restored> {
  const { endpoint, step } = deps
  const { plan } = prepared
  const phases = new Phases(call.progress)
  const source = { archive: deps.archive, identities: deps.identities, signal: call.signal }
  await phases.run('Checking the backup', 0.2, () => inspectAll(source, prepared, call.progress))
  await refuseOlderServer(endpoint, plan)
  const restoreId = newRestoreId()
  const database = sideName(endpoint.database, restoreId)
  const created = Date.now()
  const description: Description = {
    made_by: 'catalyst-db restore',
    state: 'loading',
    restore_id: restoreId,
    backup_id: request.backupId,
    source: plan.full.server.database,
    created_at: new Date(created).toISOString(),
    expires_at: new Date(created + deps.keepHours * 3_600_000).toISOString(),
    recovered_to: null,
  }
  try {
    await step?.('restore:before-database')
    await makeSide(endpoint, database, plan.full.server, description)
    await step?.('restore:database-made')
    await deps.prepare?.(database)
    const done = await DirectSession.use(
      endpoint,
      (session) => fill({ deps, prepared, request, source, session, database, phases, call }),
      { name: RESTORER, database },
    )
    const recovered = { time: done.recoveredTo.time, lsn: formatLsn(done.recoveredTo.lsn) }
    const state = request.isDrill ? 'drill' : 'ready'
    const finished: Description = { ...description, state, recovered_to: recovered }
    await step?.('restore:before-ready')
    await describeSide(endpoint, database, finished)
    return {
      restore_id: restoreId,
      database,
      description: finished,
      recovered_to: recovered,
      tables: done.tables,
      warnings: done.warnings,
      phases: phases.done,
    }
  } catch (error) {
    await dropSide(endpoint, database)
    if (call.signal.aborted) call.signal.throwIfAborted()
    throw error
  }
}

interface Filling {
  readonly deps: RestoreDeps
  readonly prepared: Prepared
  readonly request: RestoreRequest
  readonly source: Source
  /** In the new database; as long as it is there, nobody takes the database for a leftover. */
  readonly session: DirectSession
  readonly database: string
  readonly phases: Phases
  readonly call: RestoreCall
}

async function fill(filling: Filling) {
  const { deps, prepared, source, session, database, phases, call } = filling
  const { plan, catalog, selection, objects } = prepared
  const { full } = plan
  const warnings = new Set<string>(prepared.plan.full.issues)
  const warn = (sentence: string): void => void warnings.add(sentence)
  const script = await phases.run('Making the schema', 0.28, async () => {
    const [pre, post] = await Promise.all([
      readText(source, full, 'schema-pre'),
      readText(source, full, 'schema-post'),
    ])
    const script = await phasesOf(pre, post, call.signal)
    await session.command(SETTINGS)
    await makeExtensions(session, script.extensions, warn)
    await session.command('begin')
    await session.command(script.before.join(';\n'))
    await session.command('commit')
    return script
  })
  await deps.step?.('restore:schema-made')
  const loaded = await phases.run('Loading rows', 0.6, () => {
    const total = objects.reduce((sum, { plain_bytes }) => sum + plain_bytes, 0)
    let done = 0
    return loadRows({
      source,
      full,
      catalog,
      objects,
      database,
      endpoint: deps.endpoint,
      workers: deps.workers,
      loaded: (bytes) => {
        done += bytes
        call.progress.at(done / Math.max(total, 1))
      },
    })
  })
  await deps.step?.('restore:rows-loaded')
  const pending = new Pending({
    session,
    statements: script.after,
    leavesOut: (statement) => isAbsent(statement, selection, warn),
    complete: () => restoreRights(session, script.rights, warn),
  })
  await phases.run('Making keys', 0.68, async () => {
    await session.command('begin')
    await session.command(script.keys.join(';\n'))
    await pending.holdBack()
    await session.command('commit')
  })
  const replayed = await phases.run('Replaying the log', 0.85, () =>
    replay(filling, pending, loaded),
  )
  await deps.step?.('restore:replayed')
  const tables = await phases.run('Finishing', 0.99, async () => {
    try {
      return await finish(filling, pending, { loaded, replayed, warn })
    } catch (error) {
      throw notFinished(error)
    }
  })
  const { last } = replayed
  const recoveredTo = last ? plan.recoveredTo : { time: full.snapshot.time, lsn: full.snapshot.lsn }
  return { recoveredTo, tables, warnings: [...warnings] }
}

/** What statements of a dump, values of the log and our own words mean the same under. */
const SETTINGS = `
  set synchronous_commit = off;
  set search_path = '';
  set check_function_bodies = off;
  set xmloption = content;
  set row_security = off;
  set client_min_messages = warning`

async function replay(
  { deps, prepared, source, session, call }: Filling,
  pending: Pending,
  loaded: ReadonlyMap<number, number>,
): Promise<Replayed> {
  const { plan, catalog, selection } = prepared
  const knowsMigrations = catalog.tables.some(({ schema, name }) => isNeeded(schema, name))
  const proofs = knowsMigrations ? await session.many(schemaProofs()) : []
  const replay = new Replay({
    session,
    loaded,
    pending,
    from: plan.full.snapshot.lsn,
    stop: plan.stop ?? { kind: 'lsn', lsn: plan.full.snapshot.lsn },
    includes: selection.includes,
    proofs: proofs.map(({ marks_sha256 }) => marks_sha256),
    signal: call.signal,
  })
  const total = plan.segments.reduce((sum, { plain_bytes }) => sum + plain_bytes, 0)
  let done = 0
  for (const segment of plan.segments) {
    if (replay.isOver) break
    await replay.read(await openObject(source, segment, segment))
    done += segment.plain_bytes
    call.progress.at(done / Math.max(total, 1))
    await deps.step?.('restore:segment-replayed')
  }
  return replay.end()
}

interface Ending {
  readonly loaded: ReadonlyMap<number, number>
  readonly replayed: Replayed
  warn(sentence: string): void
}

async function finish(filling: Filling, pending: Pending, ending: Ending): Promise<TableCount[]> {
  const { prepared, request, session, call } = filling
  const { plan, catalog, selection } = prepared
  const { replayed, warn } = ending
  await session.command('begin')
  await pending.settle()
  await session.command('commit')
  if (selection.tables) await keepOnly(session, selection.includes)
  const { before, after } = replayed.marks
  const known = [before, after].flatMap((mark) => (mark ? [mark.sequences] : []))
  await setSequences(session, catalog, known)
  await refreshViews(session, warn)
  call.signal.throwIfAborted()
  await session.command('analyze')
  const there = await namesOfTables(session)
  await session.many(makeMeta())
  await session.command('set synchronous_commit = on')
  await session.many(
    writeMeta({
      restore_id: filling.database.slice(-'rst_000000000000'.length),
      backup_id: request.backupId,
      source: plan.full.server.database,
      time: plan.recoveredTo.time,
      lsn: formatLsn(plan.recoveredTo.lsn),
      tables: selection.tables,
    }),
  )
  const counts = countsOf(catalog, ending)
  const rowsOf = new Map(counts.map((one) => [`${one.schema}\0${one.name}`, one.rows]))
  return there.map(({ schema, name }) => ({
    schema,
    name,
    rows: rowsOf.get(`${schema}\0${name}`) ?? 0,
  }))
}

/** By the oid that a table had it is known under whatever name it has now. */
function countsOf(catalog: Catalog, { loaded, replayed }: Ending): TableCount[] {
  const counts = new Map<number, TableCount>(
    catalog.tables.map(({ oid, schema, name }) => [
      oid,
      { schema, name, rows: loaded.get(oid) ?? 0 },
    ]),
  )
  for (const [oid, count] of replayed.tables) counts.set(oid, count)
  return [...counts.values()]
}

/** A foreign key to a table that is not restored cannot hold; one of such a table goes with it. */
async function isAbsent(
  statement: string,
  { tables, includes }: Selection,
  warn: (sentence: string) => void,
): Promise<boolean> {
  if (!tables) return false
  const key = await foreignKeyOf(statement)
  if (!key) return false
  const [from, to] = [key.table, key.references].map(parts)
  if (!from || !to || !includes(...from)) return true
  if (includes(...to)) return false
  warn(
    `The foreign key ${key.name} of ${key.table} refers to ${key.references}, which was not restored; it was left out.`,
  )
  return true
}

function parts(name: string): [string, string] {
  const at = name.indexOf('.')
  return [name.slice(0, at), name.slice(at + 1)]
}

async function inspectAll(source: Source, { plan, objects }: Prepared, progress: Progress) {
  const texts = plan.full.objects.filter(({ role }) => role !== 'data')
  const all = [...texts, ...objects, ...plan.segments]
  const total = all.reduce((sum, { stored_bytes }) => sum + stored_bytes, 0)
  let done = 0
  await inspect(source, plan.full, all, (bytes) => {
    done += bytes
    progress.at(done / Math.max(total, 1))
  })
}

/** A schema of a later release may say what an earlier one does not understand. */
async function refuseOlderServer(endpoint: Endpoint, { full }: Plan): Promise<void> {
  const [here] = await DirectSession.use(endpoint, (session) => session.many(serverFacts()), {
    name: RESTORER,
  })
  const [is, was] = [here?.version_num ?? 0, full.server.version_num].map((version) =>
    Math.trunc(version / 10_000),
  )
  if ((is ?? 0) >= (was ?? 0)) return
  throw new AppError(
    'not_supported',
    `The backup is of PostgreSQL ${was}, and this server is ${is}: it can be restored on ${was} or later.`,
    { hint: `Restore it on a PostgreSQL ${was} or later.` },
  )
}

/** What took how long. */
class Phases {
  readonly #progress: Progress
  readonly done: { name: string; duration_ms: number }[] = []

  constructor(progress: Progress) {
    this.#progress = progress
  }

  async run<T>(name: string, to: number, work: () => Promise<T>): Promise<T> {
    const started = performance.now()
    this.#progress.phase(name, to)
    const result = await work()
    this.done.push({ name, duration_ms: Math.round(performance.now() - started) })
    return result
  }
}

/** A plan as clients see it. */
export const shownPlan = async (archive: Archive, plan: Plan) => ({
  full: plan.full.backup_id,
  segments: plan.segments.length,
  barriers: (await archive.barriers())
    .filter(({ lsn }) => lsn > plan.full.snapshot.lsn)
    .map(({ at, kind, reason }) => ({ at, kind, reason })),
  bytes: plan.bytes,
  estimated_ms: estimateOf(plan),
})
