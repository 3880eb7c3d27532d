drop table catalyst.idempotency_keys;
drop table catalyst.events;
drop table catalyst.event_outbox;
