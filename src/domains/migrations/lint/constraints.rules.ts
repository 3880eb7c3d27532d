import type { Constraint, RangeVar, ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { keyOf } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'
import type { Hit, ScriptState } from './script-state.js'
import { addedColumns, addedConstraints, alterations, type ConstraintType, has } from './tree.js'

export const addCheck: Rule = {
  name: 'constraint-missing-not-valid',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until every row was checked.',
  safeWay: 'ADD CONSTRAINT ... NOT VALID, and VALIDATE CONSTRAINT in a later migration.',
  docs: squawkDocs('constraint-missing-not-valid'),
  check: (statement, script) => [
    ...unvalidated(statement, script, 'CONSTR_CHECK'),
    ...addedColumns(statement)
      .filter(({ constraints }) => has(constraints, 'CONSTR_CHECK'))
      .map(script.columnHit),
  ],
}

/**
 * Where a new column has nothing in it, PostgreSQL looks up nothing (transformAlterTableStmt in
 * parse_utilcmd.c).
 */
export const addForeignKey: Rule = {
  name: 'adding-foreign-key-constraint',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'writes of both tables wait until every row was looked up.',
  safeWay: 'ADD FOREIGN KEY ... NOT VALID, and VALIDATE CONSTRAINT in a later migration.',
  docs: squawkDocs('adding-foreign-key-constraint'),
  check: (statement, script) => [
    ...unvalidated(statement, script, 'CONSTR_FOREIGN'),
    ...addedColumns(statement)
      .filter(({ constraints }) => has(constraints, 'CONSTR_DEFAULT'))
      .flatMap(({ table, constraints }) =>
        referenced(constraints).map((other) => between(script, table, other)),
      ),
  ],
}

/** A validated CHECK spares the scan: https://www.postgresql.org/docs/18/sql-altertable.html */
export const setNotNull: Rule = {
  name: 'adding-not-nullable-field',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until every row was checked for nulls.',
  safeWay:
    'ADD CONSTRAINT ... CHECK (column IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a later migration, and SET NOT NULL after that: it then reads no row.',
  docs: squawkDocs('adding-not-nullable-field'),
  check: (statement, script) => [
    ...alterations(statement, 'AT_SetNotNull')
      .filter(({ table, command }) => !script.isKnownNotNull(table, command.name))
      .map(script.commandHit),
    ...unvalidated(statement, script, 'CONSTR_NOTNULL'),
  ],
}

/** NOT VALID spares nothing when the lock of the same transaction is held during the scan. */
export const validateTogether: Rule = {
  name: 'validate-in-same-transaction',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'its rows are checked while the transaction keeps writers, or everybody, out of it.',
  safeWay: 'Validate in a later migration, or write "-- transaction: none" at the top.',
  docs: manual('sql-altertable'),
  check: (statement, script) =>
    script.context.isTransactional
      ? alterations(statement, 'AT_ValidateConstraint')
          .map(script.commandHit)
          .filter(({ on }) => on.some((table) => script.held.has(keyOf(table))))
      : [],
}

export const addUnique: Rule = {
  name: 'disallowed-unique-constraint',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until the index of the constraint is built.',
  safeWay:
    'CREATE UNIQUE INDEX CONCURRENTLY in a file of its own, then ADD CONSTRAINT ... USING INDEX.',
  docs: squawkDocs('disallowed-unique-constraint'),
  check: (statement, script) => [
    ...addedConstraints(statement)
      .filter(({ constraint }) => has([constraint], 'CONSTR_UNIQUE', 'CONSTR_PRIMARY'))
      .filter(({ constraint }) => !constraint.indexname)
      .map(({ table, constraint }) => script.hit(table, constraint.conname)),
    ...addedColumns(statement)
      .filter(({ constraints }) => has(constraints, 'CONSTR_UNIQUE'))
      .map(script.columnHit),
  ],
}

export const addExclusion: Rule = {
  name: 'adding-exclusion-constraint',
  severity: 'block',
  harmlessOn: 'small tables',
  what: 'reads and writes wait until its index is built; it cannot be built CONCURRENTLY.',
  safeWay: 'Make a new table with the constraint, copy the rows in batches, and swap the two.',
  docs: manual('sql-createtable'),
  check: (statement, script) => unvalidated(statement, script, 'CONSTR_EXCLUSION'),
}

/** Constraints of a kind that are checked against the existing rows at once. */
const unvalidated = (
  statement: ScriptStatement,
  script: ScriptState,
  type: ConstraintType,
): Hit[] =>
  addedConstraints(statement)
    .filter(({ constraint }) => constraint.contype === type && !constraint.skip_validation)
    .map(({ table, constraint }) => between(script, table, constraint.pktable))

const referenced = (constraints: readonly Constraint[]): RangeVar[] =>
  constraints.flatMap(({ pktable }) => pktable ?? [])

/** About a table and, of a foreign key, the one it refers to. */
function between(script: ScriptState, table: RangeVar, other: RangeVar | undefined): Hit {
  const { subject, on } = script.hit(table)
  return { subject, on: other ? [...on, script.resolve(other)] : on }
}
