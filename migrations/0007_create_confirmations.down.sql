drop table catalyst.assistant_actions;
drop table catalyst.assistant_recommendations;
drop table catalyst.assistant_reports;
drop table catalyst.assistant;
alter table catalyst.jobs drop column confirmed_plan;
drop table catalyst.confirmations;
