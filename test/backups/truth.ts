import pg from 'pg'
import { exactTypes } from '../../src/platform/postgres/types.js'

/** Connects past the product. */
export async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, types: exactTypes })
  client.on('error', () => {})
  await client.connect()
  return client
}
