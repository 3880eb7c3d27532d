import { sql } from '../../../platform/postgres/sql.js'
import { TIMELINE } from '../../../platform/postgres/standing.js'
import type { FullManifest } from '../archive/manifest.js'

/**
 * What the server and this database are. Releases name the columns of the locale differently: whichever there
 * are is taken.
 */
export const serverFacts = () => sql<FullManifest['server']>`
  select
    current_setting('server_version_num')::int as version_num,
    (select system_identifier::text from pg_control_system()) as system_identifier,
    ${sql.trusted(TIMELINE)} as timeline,
    d.datname as database,
    d.oid::int8 as db_oid,
    pg_encoding_to_char(d.encoding) as encoding,
    d.datcollate as collate,
    d.datctype as ctype,
    coalesce(to_jsonb(d) ->> 'datlocprovider', 'c') as locale_provider,
    coalesce(to_jsonb(d) ->> 'datlocale', to_jsonb(d) ->> 'daticulocale') as locale
  from pg_database d
  where d.datname = current_database()`
