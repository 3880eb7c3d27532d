import { access } from 'node:fs/promises'
import { AppError } from '../../errors.js'
import type { DirectSession } from '../../platform/postgres/direct.js'
import { PINNED } from '../../platform/postgres/measure/wire.js'
import { sql } from '../../platform/postgres/sql.js'
import type { Finding } from '../../platform/sql-parser/lint/lint-script.js'
import { lintScript } from '../../platform/sql-parser/lint/lint-script.js'
import { type RelationSize, relationsOf } from '../../platform/sql-parser/lint/script-state.js'
import { keyOf, type RelationName } from '../../platform/sql-parser/tree.js'
import { readOperatorFolder, readText } from './files.js'
import { readScript, type Script } from './script.js'

/** What the linter says of one file. */
export interface LintedFile {
  readonly file: string
  /** Why the file cannot be run at all, and the next step; null when it can. */
  readonly problem: string | null
  readonly lint: readonly Finding[]
}

/** A text that has not become a script yet. */
interface Unread {
  readonly file: string
  readonly text: string
  readonly hasDown: boolean
}

/** Judges the scripts of one run in their order: a table that an earlier one makes is empty. */
export class Linting {
  readonly #session: DirectSession | null
  readonly #made = new Map<string, RelationSize>()

  /** Without a database nothing is known of the tables. */
  constructor(session: DirectSession | null) {
    this.#session = session
  }

  /** What the linter says of what is still to be run, knowing how large the tables are. */
  async of(judged: {
    readonly script: Script
    readonly done: number
    readonly hasDown: boolean
  }): Promise<readonly Finding[]> {
    const { steps, directives, isTransactional } = judged.script
    const statements = steps.map(({ statement }) => statement)
    const { named, made } = relationsOf(statements)
    const sizes = (await this.#session?.many(tableSizes(named))) ?? []
    const tables = new Map(this.#made)
    for (const { schema, name, ...size } of sizes) tables.set(keyOf({ schema, name }), size)
    for (const one of made) this.#made.set(keyOf(one), { rows: 0, bytes: 0 })
    const hasDown = judged.hasDown || directives.irreversible !== null
    const { allow } = directives
    const context = { hasDown, isTransactional, tables, allow, pinned: PINNED }
    const findings = await lintScript(statements, context)
    return findings.filter(({ statement }) => statement > judged.done)
  }

  /**
   * The same of a text.
   *
   * @throws AppError `invalid_input` with file and place for what could not be run at all
   */
  async ofText({ file, text, hasDown }: Unread, signal?: AbortSignal): Promise<readonly Finding[]> {
    return this.of({ script: await readScript(file, text, signal), done: 0, hasDown })
  }

  /**
   * Judges the named files, wherever they are, or all of the folder.
   *
   * @throws AppError `not_found` for a file that cannot be read
   */
  async ofFiles(paths: readonly string[], directory: string): Promise<LintedFile[]> {
    const linted: LintedFile[] = []
    for (const one of await (paths.length > 0 ? readPaths(paths) : readAll(directory))) {
      linted.push('problem' in one ? { ...one, lint: [] } : await this.#linted(one))
    }
    return linted
  }

  async #linted(one: Unread): Promise<LintedFile> {
    const { file } = one
    try {
      return { file, problem: null, lint: await this.ofText(one) }
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return { file, problem: [error.message, error.hint].join(' '), lint: [] }
    }
  }
}

type Read = Unread | { readonly file: string; readonly problem: string }

async function readAll(directory: string): Promise<Read[]> {
  const { migrations, faults } = await readOperatorFolder(directory)
  return [
    ...faults.map(({ name, message, next_step }) => ({
      file: name,
      problem: `${message} ${next_step}`,
    })),
    ...migrations.map(({ file, upSql, downSql }) => ({
      file,
      text: upSql,
      hasDown: downSql !== null,
    })),
  ]
}

const readPaths = (paths: readonly string[]): Promise<Read[]> =>
  Promise.all(
    paths.map(async (file) => {
      const read = await readText(file).catch((cause: unknown) => {
        throw new AppError('not_found', 'One of the files cannot be read.', {
          hint: 'Check the paths: each must be a file of SQL that this user may read.',
          cause,
        })
      })
      if ('fault' in read) return { file, problem: `${file} ${read.fault}.` }
      return {
        file,
        text: read.text,
        hasDown: await exists(file.replace(/\.up\.sql$/, '.down.sql')),
      }
    }),
  )

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

/** Rows and bytes of tables: what is small may be locked. Of an index, its table's. */
const tableSizes = (relations: readonly RelationName[]) => sql<RelationName & RelationSize>`
  select
    named.schema,
    named.name,
    greatest(measured.reltuples, 0)::float8 as rows,
    pg_total_relation_size(measured.oid)::float8 as bytes,
    array(
      select jsonb_build_object('name', conname, 'column', attname, 'is_valid', convalidated)
      from pg_constraint
      join pg_attribute on attrelid = conrelid and attnum = conkey[1]
      where conrelid = measured.oid
        and contype = 'c'
        and pg_get_constraintdef(pg_constraint.oid)
          in (format('CHECK ((%I IS NOT NULL))', attname),
              format('CHECK ((%I IS NOT NULL)) NOT VALID', attname))
    ) as not_null_checks
  from jsonb_to_recordset(${JSON.stringify(relations)}::jsonb) as named (schema text, name text)
  join pg_namespace as namespace on namespace.nspname = named.schema
  join pg_class as class on class.relnamespace = namespace.oid and class.relname = named.name
  left join pg_index as entry on entry.indexrelid = class.oid
  join pg_class as measured on measured.oid = coalesce(entry.indrelid, class.oid)`
