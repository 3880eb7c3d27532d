drop schema catalyst_log cascade;
drop view catalyst.log_tables;
drop table catalyst.log_mark;
drop table catalyst.backup_log;
drop table catalyst.restores;
drop table catalyst.backups;
drop table catalyst.jobs;
