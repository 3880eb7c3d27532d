-- expect: nothing
create extension if not exists pg_trgm;
create materialized view desk.headline_words as
select headline from catalyst.news_articles
with no data;
create index headline_words_trgm on desk.headline_words using gin (headline gin_trgm_ops);
