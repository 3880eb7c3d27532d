import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '../../../errors.js'
import type { Endpoint } from '../../../platform/postgres/connection.js'
import { DirectSession } from '../../../platform/postgres/direct.js'
import { sqlState } from '../../../platform/postgres/errors.js'
import { type Statement, sql } from '../../../platform/postgres/sql.js'
import type { FullManifest } from '../archive/manifest.js'
import {
  createDatabase,
  type DescribedDatabase,
  describeDatabase,
  describedDatabases,
} from './side.sql.js'

/** As sessions of a restore are shown; one of them is always there while it goes on. */
export const RESTORER = 'catalyst-db restore'

const PLACE = z.object({ time: z.string(), lsn: z.string() })

const DESCRIPTION = z.object({
  made_by: z.literal('catalyst-db restore'),
  /** `loading` until it is whole; one that nobody loads any more is a leftover. `replaced`: a restored one took its place. */
  state: z.enum(['loading', 'ready', 'drill', 'replaced']),
  restore_id: z.string(),
  backup_id: z.string(),
  source: z.string(),
  created_at: z.string(),
  expires_at: z.string(),
  recovered_to: PLACE.nullable(),
})

/** What a restored database says of itself, in the comment on it. */
export type Description = z.infer<typeof DESCRIPTION>

/** A database that this product has restored beside another. */
export interface SideDatabase extends Description {
  readonly database: string
  readonly size_bytes: number | null
  readonly sessions: number
}

/** PostgreSQL cuts longer names off. */
const NAME_BYTES = 63

/** An id of a restore. */
export const newRestoreId = (): string => `rst_${randomBytes(6).toString('hex')}`

/** The name of the database of a restore. */
export function sideName(database: string, restoreId: string): string {
  const ending = `__${restoreId}`
  const bytes = Buffer.from(database).subarray(0, NAME_BYTES - ending.length)
  // A character that was cut in half is none.
  return `${bytes.toString('utf8').replace(/\uFFFD+$/, '')}${ending}`
}

/** Runs words that PostgreSQL has quoted itself. */
async function execute(session: DirectSession, quoted: Statement<{ text: string }>): Promise<void> {
  const [row] = await session.many(quoted)
  await session.command(String(row?.text))
}

/**
 * Makes the database of a restore, which says of itself that it is not ready.
 *
 * @throws AppError `permission_denied` without CREATEDB, `precondition_failed` for a locale that this server lacks
 */
export async function makeSide(
  endpoint: Endpoint,
  name: string,
  server: FullManifest['server'],
  description: Description,
): Promise<void> {
  await DirectSession.use(
    endpoint,
    async (session) => {
      try {
        await execute(session, createDatabase(name, server))
      } catch (error) {
        throw notMade(error, server)
      }
      await execute(session, describeDatabase(name, JSON.stringify(description)))
    },
    { name: RESTORER },
  )
}

/** Says anew what the database of a restore is; null: it is none any more. */
export const describeSide = (endpoint: Endpoint, name: string, description: Description | null) =>
  DirectSession.use(
    endpoint,
    (session) => {
      const text = description === null ? '' : JSON.stringify(description)
      return execute(session, describeDatabase(name, text))
    },
    { name: RESTORER },
  )

/** Drops a database that this product made, with whoever is in it. */
export const dropSide = (endpoint: Endpoint, name: string): Promise<void> =>
  DirectSession.use(
    endpoint,
    async (session) => {
      await session.many(sql<never>`drop database if exists ${sql.id(name)} with (force)`)
    },
    { name: RESTORER },
  )

/** The databases that this product has restored on a server, whatever became of their makers. */
export async function listSides(endpoint: Endpoint): Promise<SideDatabase[]> {
  const rows = await DirectSession.use(endpoint, (session) => session.many(describedDatabases()), {
    name: RESTORER,
  })
  return rows.flatMap((row) => sideOf(row) ?? [])
}

/** Name and description have to say the same: nobody else's database is taken for one of ours. */
function sideOf({ description, ...row }: DescribedDatabase): SideDatabase | null {
  let fields: unknown
  try {
    fields = JSON.parse(description)
  } catch {
    return null
  }
  const parsed = DESCRIPTION.safeParse(fields)
  if (!parsed.success) return null
  const { state, restore_id } = parsed.data
  const ending = state === 'replaced' ? restore_id.replace('rst_', '__old_') : `__${restore_id}`
  return row.database.endsWith(ending) ? { ...parsed.data, ...row } : null
}

function notMade(error: unknown, { collate, ctype, encoding }: FullManifest['server']): unknown {
  const state = sqlState(error) ?? sqlState(Object(error).cause)
  if (state === '42501') {
    return new AppError('permission_denied', 'The role of this server may not create databases.', {
      hint: 'Have a superuser run "alter role … createdb" for the role of DATABASE_URL; "catalyst-db doctor" names it.',
      cause: error,
    })
  }
  if (state === '22023' || state === '42809' || state === '42704') {
    return new AppError(
      'precondition_failed',
      `This server cannot make a database with the encoding ${encoding} and the locale ${collate} (${ctype}) of the backup.`,
      {
        hint: 'Install that locale where PostgreSQL runs, or restore on another server.',
        cause: error,
      },
    )
  }
  return error
}
