-- expect: require-concurrent-partition-detach
alter table desk.quotes detach partition desk.quotes_2021;
