import * as columns from './columns.rules.js'
import * as constraints from './constraints.rules.js'
import * as indexes from './indexes.rules.js'
import type { Rule } from './rule.js'
import * as security from './security.rules.js'
import * as tables from './tables.rules.js'
import * as transactions from './transactions.rules.js'

const FILES = [indexes, constraints, columns, tables, transactions, security]

/** Every rule in force: whatever the rule files export. */
export const RULES: readonly Rule[] = FILES.flatMap((file) => Object.values<Rule>(file))
