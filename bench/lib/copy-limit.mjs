import { spawn } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { timed, verify } from './measure.mjs'
import { hasPsql, PSQL } from './postgres.mjs'

const TABLE = 'catalyst.news_articles'
const COPY = 'bench.news_articles'
const SHAPE = `
  select
    (select count(*)::int from pg_index where indrelid = $1::regclass) as indexes,
    (select count(*)::int from pg_constraint where conrelid = $1::regclass) as constraints`

/**
 * The fastest way into a table like news_articles: one COPY of rows that are known to be new, into a
 * copy of it with the same indexes, checks and foreign keys.
 */
export class CopyLimit {
  #database
  #psql

  constructor(database, psql) {
    this.#database = database
    this.#psql = psql
  }

  static async open(database) {
    await database.query('create schema bench')
    await database.query(`create table ${COPY} (like ${TABLE} including all)`)
    const foreign = await database.query(
      `select conname, pg_get_constraintdef(oid) as definition from pg_constraint
       where conrelid = $1::regclass and contype = 'f'`,
      [TABLE],
    )
    for (const { conname, definition } of foreign) {
      await database.query(`alter table ${COPY} add constraint ${conname} ${definition}`)
    }
    const [ours] = await database.query(SHAPE, [TABLE])
    const [limit] = await database.query(SHAPE, [COPY])
    verify(JSON.stringify(ours) === JSON.stringify(limit), 'the copied table is another one')
    return new CopyLimit(database, hasPsql() ? new Psql(database.url) : null)
  }

  /** What is compared with. */
  get name() {
    return this.#psql ? 'psql COPY' : 'pg-copy-streams COPY (PATH has no psql)'
  }

  /** Writes the stored stories that the copy does not have yet to a file; answers how many. */
  async dump(path) {
    const client = await this.#database.connect()
    try {
      const stream = client.query(
        copyTo(`copy (
          select a.* from ${TABLE} a
          where not exists (select from ${COPY} c where c.news_id = a.news_id)) to stdout`),
      )
      await pipeline(stream, createWriteStream(path))
      return stream.rowCount
    } finally {
      client.release()
    }
  }

  /** Copies a file in; answers the milliseconds it took. */
  load(path) {
    return this.#psql ? this.#psql.load(path) : timed(() => this.#stream(path))
  }

  /** How many rows have been copied. */
  count() {
    return this.#database.count(COPY)
  }

  async close() {
    await this.#psql?.close()
  }

  async #stream(path) {
    const client = await this.#database.connect()
    try {
      await pipeline(createReadStream(path), client.query(copyFrom(`copy ${COPY} from stdin`)))
    } finally {
      client.release()
    }
  }
}

/** One session of psql, which times its commands itself: neither its start nor our pipe counts. */
class Psql {
  #child
  #lines

  constructor(url) {
    const options = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', url]
    this.#child = spawn(PSQL, options, { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]()
    this.#child.stdin.write('\\timing on\n')
  }

  async load(path) {
    this.#child.stdin.write(`\\copy ${COPY} from '${path}'\n`)
    for (;;) {
      const { value, done } = await this.#lines.next()
      verify(!done, 'psql has ended')
      const [, ms] = /^Time: ([\d.]+) ms/.exec(value) ?? []
      if (ms) return Number(ms)
    }
  }

  async close() {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.stdin.end('\\q\n')
    await ended
  }
}
