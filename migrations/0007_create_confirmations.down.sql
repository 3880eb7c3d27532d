alter table catalyst.jobs drop column confirmed_plan;
drop table catalyst.confirmations;
