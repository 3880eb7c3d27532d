drop table catalyst.conditions;
