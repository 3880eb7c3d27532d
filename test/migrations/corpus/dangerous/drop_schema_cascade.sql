-- expect: drop-cascade, drop-schema
drop schema if exists sandbox cascade;
