drop table catalyst.jobs;
