-- expect: nothing
-- lock_timeout: 2s
set local lock_timeout = '2s';
set local statement_timeout = '1min';
alter table desk.orders alter column note set default '';
alter table desk.orders alter column symbol set statistics 500;
alter table desk.orders set (autovacuum_vacuum_scale_factor = 0.02);
