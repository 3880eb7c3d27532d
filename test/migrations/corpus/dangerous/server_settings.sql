-- expect: alter-system, database-settings
alter system set max_connections = 500;
alter database desk set statement_timeout = 0;
