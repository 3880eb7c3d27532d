import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll } from 'vitest'
import { findPostgres } from '../../src/platform/embedded/binaries.js'
import { startBare } from './postgres-of.js'

/** A PostgreSQL as somebody else has set it up: a superuser, no role of ours, passwords wherever one asks. */
export class ExternalServer {
  readonly #started: Awaited<ReturnType<typeof startBare>>

  private constructor(started: Awaited<ReturnType<typeof startBare>>) {
    this.#started = started
  }

  /** Of the version that is tested; removed after the file. */
  static async start(): Promise<ExternalServer> {
    const directory = mkdtempSync(join(tmpdir(), 'external-'))
    const bin = process.env.CATALYST_TEST_DATABASE_BIN ?? dirname(findPostgres(directory).postgres)
    const started = await startBare(bin, directory)
    afterAll(async () => {
      await started.stop()
      rmSync(directory, { recursive: true, force: true })
      rmSync(started.sockets, { recursive: true, force: true })
    })
    // Whoever is not ours is let in as is; the login of scripts has to know its password.
    writeFileSync(
      join(started.cluster, 'pg_hba.conf'),
      'local all catalyst_migrator scram-sha-256\nlocal all all trust\n',
    )
    const server = new ExternalServer(started)
    await server.query('select pg_reload_conf()')
    return server
  }

  /** A database over the socket, as a role. */
  url(database = 'postgres', login = 'postgres'): string {
    return this.#started.admin.replace('postgres@/postgres?', `${login}@/${database}?`)
  }

  /** The rows of one statement, or of the last of several. */
  async query<Row extends pg.QueryResultRow>(
    text: string,
    database = 'postgres',
    login = 'postgres',
  ): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.url(database, login) })
    await client.connect()
    try {
      const result: unknown = await client.query(text)
      const last = Array.isArray(result) ? result.at(-1) : result
      return last instanceof pg.Result ? last.rows : []
    } finally {
      await client.end()
    }
  }
}
