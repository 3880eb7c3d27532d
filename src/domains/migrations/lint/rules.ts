import * as dataLoss from './data-loss.rules.js'
import type { Rule } from './rule.js'
import * as transactions from './transactions.rules.js'

/** Every rule in force: whatever the rule files export. */
export const RULES: readonly Rule[] = [dataLoss, transactions].flatMap((file) =>
  Object.values<Rule>(file),
)
