import { PINNED } from '../../../src/platform/postgres/measure/wire.js'
import { lintScript } from '../../../src/platform/sql-parser/lint/lint-script.js'
import type { LintContext } from '../../../src/platform/sql-parser/lint/script-state.js'
import { parseScript } from '../../../src/platform/sql-parser/parse-script.js'

/** What a migration is judged with when its test says nothing else. */
export const CONTEXT: LintContext = {
  allow: new Map(),
  isTransactional: true,
  hasDown: true,
  pinned: PINNED,
  tables: null,
}

/** What our rules find in a script. */
export const linted = async (sql: string, context: Partial<LintContext> = {}) =>
  lintScript(await parseScript(sql), { ...CONTEXT, ...context })
