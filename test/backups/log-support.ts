import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { onTestFinished } from 'vitest'
import { Archive } from '../../src/domains/backups/archive/archive.js'
import type { Sidecar } from '../../src/domains/backups/archive/manifest.js'
import { frames } from '../../src/domains/backups/archive/segment.js'
import { openStore } from '../../src/platform/objects/open.js'
import { open } from '../../src/platform/objects/pipeline.js'
import {
  decode,
  type LoggedMessage,
  type LoggedRelation,
} from '../../src/platform/postgres/replication/pgoutput.js'
import { type TestClient, ToolError } from '../support/app.js'
import { waitFor } from '../support/wait-for.js'

const NO_S3 = { endpoint: null, region: null, credentials: null }

/** A folder of this test. */
export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'backups-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Settings of a server that keeps a log in a folder of its own. */
export function logSettings(folder: string, policy: Record<string, unknown> = {}) {
  const file = join(folder, 'policy.json')
  const backups = { enabled: true, segment_seconds: 1, ...policy }
  writeFileSync(file, JSON.stringify({ backups }))
  return {
    CATALYST_DATA_DIR: join(folder, 'data'),
    CATALYST_OBJECT_STORE: pathToFileURL(join(folder, 'store')).href,
    CATALYST_POLICY_FILE: file,
    ...(process.env.LOG ? { LOG_LEVEL: process.env.LOG } : {}),
  }
}

/** The one archive in a folder, once there is one. */
export async function archiveIn(folder: string): Promise<Archive> {
  const location = pathToFileURL(join(folder, 'store')).href
  const objects = await openStore({ location, s3: NO_S3 })
  const [id] = await waitFor(async () => {
    const ids = await Archive.ids(objects)
    return ids.length > 0 && ids
  })
  return Archive.open(objects, id ?? '')
}

export async function sidecarsOf(archive: Archive): Promise<Sidecar[]> {
  const all: Sidecar[] = []
  for await (const sidecar of archive.sidecars()) all.push(sidecar)
  return all
}

/** Every message of the log, or of some of its segments, in its order. */
async function messagesOf(archive: Archive, sidecars?: Sidecar[]): Promise<LoggedMessage[]> {
  const all: LoggedMessage[] = []
  for (const { key, codec, encryption, ...sealed } of sidecars ?? (await sidecarsOf(archive))) {
    const how = { codec, encrypted: encryption !== null, identities: [] }
    const source = await open(archive.objects, key, how, sealed)
    for await (const { message } of frames(source)) all.push(decode(message))
  }
  return all
}

/** The tables whose rows a segment tells of, besides the log's own mark. */
export async function tablesIn(archive: Archive, sidecar: Sidecar): Promise<string[]> {
  const names = new Map<number, string>()
  const told = new Set<string>()
  for (const message of await messagesOf(archive, [sidecar])) {
    if (message.kind === 'relation') names.set(message.id, `${message.schema}.${message.name}`)
    if ('relation' in message) told.add(names.get(message.relation) ?? '')
  }
  told.delete('catalyst.log_mark')
  return [...told]
}

/** The rows that were inserted into one table, each as an object. */
export async function insertedInto(archive: Archive, table: string) {
  const relations = new Map<number, LoggedRelation>()
  const rows: Record<string, unknown>[] = []
  for (const message of await messagesOf(archive)) {
    if (message.kind === 'relation') relations.set(message.id, message)
    if (message.kind !== 'insert') continue
    const relation = relations.get(message.relation)
    if (relation?.name !== table) continue
    rows.push(Object.fromEntries(relation.columns.map(({ name }, at) => [name, message.new[at]])))
  }
  return rows
}

/** What create_backup answers. */
interface Created {
  readonly backup_id: string
  readonly type: 'full' | 'incremental'
  readonly reason: string | null
  readonly covered_until: string
  readonly size_bytes: number
}

/** What takes longer than a call may goes on as a job. */
async function whole(
  client: TestClient,
  answer: Created & { status?: string; job_id?: string },
): Promise<Created> {
  if (answer.status !== 'running') return answer
  return waitFor(async () => {
    const job = await client.tool('get_job', { job_id: answer.job_id })
    if (job.error) throw new Error(JSON.stringify(job.error))
    return job.state === 'succeeded' && (job.result as Created)
  })
}

/** Takes a backup, after the one that the schedule takes at this moment. */
export const createBackup = (client: TestClient, type: string): Promise<Created> =>
  waitFor(async () => {
    try {
      return await whole(client, await client.tool('create_backup', { type }))
    } catch (error) {
      if (error instanceof ToolError && error.body.code === 'conflict') return null
      throw error
    }
  })
