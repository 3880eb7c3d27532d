drop table catalyst.db_sessions;
drop table catalyst.idempotency_keys;
drop table catalyst.events;
drop sequence catalyst.event_seq;
drop table catalyst.event_outbox;
