import type { DirectSession } from '../../platform/postgres/direct.js'
import type { Finding } from './lint/finding.js'
import { lintScript } from './lint/lint-script.js'
import { createdRelations, namedRelations } from './lint/named-relations.js'
import { keyOf } from './lint/relation-name.js'
import type { RelationSize } from './lint/script-state.js'
import type { ScriptTask } from './run-context.js'
import { listTableSizes } from './session.sql.js'

/** Judges the scripts of one run in their order: a table that an earlier one makes is empty. */
export class Linting {
  readonly #session: DirectSession | null
  readonly #made = new Map<string, RelationSize>()

  /** Without a database nothing is known of the tables. */
  constructor(session: DirectSession | null) {
    this.#session = session
  }

  /** What the linter says of what is still to be run, knowing how large the tables are. */
  async of(
    { script, done }: Pick<ScriptTask, 'script' | 'done'>,
    about: { readonly hasDown: boolean; readonly isBuiltIn: boolean },
  ): Promise<readonly Finding[]> {
    const statements = script.steps.map(({ statement }) => statement)
    const named = namedRelations(statements)
    const sizes = (await this.#session?.many(listTableSizes(named))) ?? []
    const tables = new Map(this.#made)
    for (const { schema, name, ...size } of sizes) tables.set(keyOf({ schema, name }), size)
    for (const made of createdRelations(statements)) {
      this.#made.set(keyOf(made), { rows: 0, bytes: 0 })
    }
    const { isTransactional, directives } = script
    const context = { ...about, isTransactional, tables, allow: directives.allow }
    const findings = await lintScript(statements, context)
    return findings.filter(({ statement }) => statement > done)
  }
}
