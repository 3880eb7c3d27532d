/**
 * What the product itself needs of a server that is its own: its databases and roles, and to see and end
 * what others do. No superuser: what it runs cannot reach the files and programs of this machine.
 */
const OWNER_MEMBER_OF = [
  'pg_monitor',
  'pg_signal_backend',
  'pg_checkpoint',
  'pg_maintain',
  'catalyst_migrator',
  'catalyst_reader',
]

const LOGINS = {
  catalyst_owner: 'createdb createrole replication',
  /** Runs the migrations that a client has written, and owns what they make. */
  catalyst_migrator: '',
  /** Reads what it was granted. */
  catalyst_reader: '',
}

/** Makes the roles of the embedded server; to be run as its bootstrap superuser. */
export function rolesSql(): string {
  const made = Object.entries(LOGINS).map(
    ([role, rights]) => `
      if to_regrole('${role}') is null then
        create role ${role} login nosuperuser nobypassrls ${rights};
      end if;`,
  )
  const granted = OWNER_MEMBER_OF.map(
    (role) => `
      if to_regrole('${role}') is not null then
        grant ${role} to catalyst_owner with admin option;
      end if;`,
  )
  return `do $$ begin ${made.join('')} ${granted.join('')} end $$`
}

/** Brings what only a superuser may: the statistics of statements and of tables. */
export const extensionsSql = (): string => `
  create extension if not exists pg_stat_statements;
  create extension if not exists pgstattuple;
  grant execute on function pg_stat_statements_reset to catalyst_owner`
