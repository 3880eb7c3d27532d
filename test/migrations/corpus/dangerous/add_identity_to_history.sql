-- expect: adding-serial-primary-key-field
-- The vendor's rows had no key of their own.
alter table desk.quotes add column quote_id bigint generated always as identity;
