drop function catalyst.drop_metrics_before(date);
drop function catalyst.ensure_metrics_day(date);
drop table catalyst.metrics_10m;
drop table catalyst.metrics_1m;
drop table catalyst.leases;
drop table catalyst.findings;
drop table catalyst.conditions;
