import * as catalyst from './catalyst.rules.js'
import * as columns from './columns.rules.js'
import * as constraints from './constraints.rules.js'
import * as dataLoss from './data-loss.rules.js'
import * as indexes from './indexes.rules.js'
import * as renames from './renames.rules.js'
import type { Rule } from './rule.js'
import * as security from './security.rules.js'
import * as server from './server.rules.js'
import * as style from './style.rules.js'
import * as tables from './tables.rules.js'
import * as transactions from './transactions.rules.js'

const FILES = [
  dataLoss,
  catalyst,
  indexes,
  constraints,
  columns,
  tables,
  renames,
  transactions,
  security,
  server,
  style,
]

/** Every rule in force: whatever the rule files export. */
export const RULES: readonly Rule[] = FILES.flatMap((file) => Object.values<Rule>(file))
