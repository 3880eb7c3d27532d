import { AppError } from '../../errors.js'
import type { Trouble } from '../../lib/tls-trouble.js'
import type { Endpoint } from './connection.js'
import { troubleOf } from './connection-trouble.js'
import { type Standing, sever } from './standing.js'

/** A fresh connection: what its server is, or what keeps it from being made. */
export type Login = { readonly standing: Standing } | { readonly trouble: Trouble }

/**
 * Connects as the next call that needs a new connection would, and lets go. Connections that exist
 * say nothing about that: they outlive a changed password, an exchanged certificate, a postmaster
 * that is frozen, and a server that is full. `setting` is what names the endpoint.
 */
export async function tryLogin(endpoint: Endpoint, setting?: string): Promise<Login> {
  try {
    const overrides = { application_name: 'catalyst-db health' }
    const { client, standing } = await endpoint.servers.connect(overrides)
    sever(client)
    return { standing }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    return { trouble: troubleOf(error, setting) }
  }
}
