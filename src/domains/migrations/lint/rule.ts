import type { ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import type { Severity } from './finding.js'
import type { Hit, ScriptState } from './script-state.js'

/** One rule of the linter; being exported from a `*.rules.ts` file puts it into force. */
export interface Rule {
  /** As other linters call it, where they have it. */
  readonly name: string
  readonly severity: Exclude<Severity, 'info'>
  /** Where it does no harm: on tables the script made, or on small ones too. */
  readonly harmlessOn?: 'new tables' | 'small tables'
  /** What is wrong, after the subject and a colon. */
  readonly what: string
  /** The safe way to the same end; null when there is none. */
  readonly safeWay: string | null
  readonly docs: string | null
  check(statement: ScriptStatement, script: ScriptState): readonly Hit[]
}

/** A page of squawk's, which explains most rules about locks well. */
export const squawkDocs = (rule: string): string => `https://squawkhq.com/docs/${rule}`

/** A page of PostgreSQL's manual. */
export const manual = (page: string): string => `https://www.postgresql.org/docs/18/${page}.html`
