import { quoted } from './relation-name.js'
import { manual, type Rule, squawkDocs } from './rule.js'

export const renameTable: Rule = {
  name: 'renaming-table',
  severity: 'block',
  harmlessOn: 'new tables',
  what: 'whoever uses the old name fails from now on.',
  safeWay: 'Keep the name; or give the new name to a view until nobody uses the old one.',
  docs: squawkDocs('renaming-table'),
  check: ({ kind, node }, script) => {
    const moves = kind === 'AlterObjectSchemaStmt'
    const renames = kind === 'RenameStmt' && RELATIONS.includes(node.renameType ?? '')
    return (moves || renames) && node.relation ? [script.hit(node.relation)] : []
  },
}

const RELATIONS = ['OBJECT_TABLE', 'OBJECT_VIEW', 'OBJECT_MATVIEW', 'OBJECT_SEQUENCE']

export const renameColumn: Rule = {
  name: 'renaming-column',
  severity: 'block',
  harmlessOn: 'new tables',
  what: 'whoever uses the old name fails from now on.',
  safeWay: 'Add a column of the new name, write both, fill the old rows, drop the old one later.',
  docs: squawkDocs('renaming-column'),
  check: ({ kind, node }, script) =>
    kind === 'RenameStmt' && node.renameType === 'OBJECT_COLUMN'
      ? [script.hit(node.relation, node.subname)]
      : [],
}

export const renameSchema: Rule = {
  name: 'renaming-schema',
  severity: 'block',
  what: 'whoever uses a name in the schema fails from now on.',
  safeWay: 'Keep the name.',
  docs: manual('sql-alterschema'),
  check: ({ kind, node }) =>
    kind === 'RenameStmt' && node.renameType === 'OBJECT_SCHEMA'
      ? [{ subject: quoted(node.subname ?? ''), on: [] }]
      : [],
}
