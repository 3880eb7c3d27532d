import type pg from 'pg'
import { AppError } from '../../errors.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import type { Endpoint } from './connection.js'
import { poolerTroubleOf, troubleOf } from './connection-trouble.js'
import { unreachable } from './errors.js'
import { type Standing, sever } from './standing.js'

/** What has nothing to compute or to wait for is answered by then. */
const LOGIN_MS = 2_000

/** A fresh connection: what its server is, or what keeps it from being made. */
export type Login = { readonly standing: Standing } | { readonly trouble: Trouble }

/**
 * Connects as the next call that needs a new connection would, and lets go. Connections that exist
 * say nothing about that: they outlive a changed password, an exchanged certificate, a postmaster
 * that is frozen, and a server that is full. `setting` is what names the endpoint.
 */
export const tryLogin = (endpoint: Endpoint, setting?: string): Promise<Login> =>
  attempt(
    endpoint,
    async () => {},
    (error) => troubleOf(error, setting),
  )

/** The same through a pooler, and tries whether a transaction can be had there: some refuse them. */
export const tryTransaction = (endpoint: Endpoint): Promise<Login> =>
  attempt(
    endpoint,
    async (client) => {
      await client.query('begin read only')
      await client.query('rollback')
    },
    poolerTroubleOf,
  )

async function attempt(
  endpoint: Endpoint,
  use: (client: pg.Client) => Promise<void>,
  explain: (error: AppError) => Trouble,
): Promise<Login> {
  try {
    const overrides = { application_name: 'catalyst-db health', query_timeout: LOGIN_MS }
    const { client, standing } = await endpoint.servers.connect(overrides)
    try {
      await use(client)
    } catch (error) {
      throw unreachable(error)
    } finally {
      sever(client)
    }
    return { standing }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { trouble: explain(error) }
  }
}
