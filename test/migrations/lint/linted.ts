import { lintScript } from '../../../src/domains/migrations/lint/lint-script.js'
import type { LintContext } from '../../../src/domains/migrations/lint/script-state.js'
import { parseScript } from '../../../src/platform/sql-parser/parse-script.js'

/** What a migration is judged with when its test says nothing else. */
export const CONTEXT: LintContext = {
  allow: new Map(),
  isTransactional: true,
  hasDown: true,
  tables: null,
}

/** What our rules find in a script. */
export const linted = async (sql: string, context: Partial<LintContext> = {}) =>
  lintScript(await parseScript(sql), { ...CONTEXT, ...context })
