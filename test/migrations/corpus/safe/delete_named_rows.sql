-- expect: nothing
delete from desk.brokers
where code in ('TEST', 'DEMO');
