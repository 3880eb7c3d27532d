import { body, type ScriptStatement } from '../../../platform/sql-parser/syntax.js'
import { alterations, isOn, option } from './tree.js'

/**
 * The command, when PostgreSQL refuses it inside of a transaction; else null. What depends on the
 * catalog is answered with what the text says: REINDEX of a partitioned table is not recognised.
 */
export function transactionless(statement: ScriptStatement): string | null {
  const { kind, node } = statement
  switch (kind) {
    case 'IndexStmt':
      return node.concurrent ? 'CREATE INDEX CONCURRENTLY' : null
    case 'DropStmt':
      return node.concurrent ? 'DROP INDEX CONCURRENTLY' : null
    case 'ReindexStmt': {
      const isWide = ['REINDEX_OBJECT_SCHEMA', 'REINDEX_OBJECT_SYSTEM', 'REINDEX_OBJECT_DATABASE']
      if (isOn(node.params, 'concurrently')) return 'REINDEX CONCURRENTLY'
      return isWide.includes(node.kind ?? '') ? 'REINDEX of more than one table' : null
    }
    case 'VacuumStmt':
      return node.is_vacuumcmd ? 'VACUUM' : null
    case 'ClusterStmt':
      return node.relation ? null : 'CLUSTER of all tables'
    case 'AlterTableStmt':
      return detachesConcurrently(statement) ? 'DETACH PARTITION CONCURRENTLY' : null
    case 'CreatedbStmt':
      return 'CREATE DATABASE'
    case 'DropdbStmt':
      return 'DROP DATABASE'
    case 'AlterDatabaseStmt':
      return option(node.options, 'tablespace') ? 'ALTER DATABASE SET TABLESPACE' : null
    case 'AlterSystemStmt':
      return 'ALTER SYSTEM'
    case 'CreateTableSpaceStmt':
      return 'CREATE TABLESPACE'
    case 'DropTableSpaceStmt':
      return 'DROP TABLESPACE'
    case 'CreateSubscriptionStmt':
      return createsSlot(node.options) ? 'CREATE SUBSCRIPTION' : null
    case 'DropSubscriptionStmt':
      return 'DROP SUBSCRIPTION'
    default:
      return null
  }
}

const detachesConcurrently = (statement: ScriptStatement): boolean =>
  alterations(statement).some(({ command }) => body(command.def, 'PartitionCmd')?.concurrent)

/** The slot is what a rollback could not take back. */
const createsSlot = (options: Parameters<typeof isOn>[0]): boolean =>
  !(option(options, 'connect') && !isOn(options, 'connect')) &&
  !(option(options, 'create_slot') && !isOn(options, 'create_slot'))
