alter table catalyst.audit_log drop column confirmed_by;
alter table catalyst.jobs drop column confirmed_plan;
drop table catalyst.confirmations;
