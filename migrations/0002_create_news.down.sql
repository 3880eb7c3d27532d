-- description: Removes every news table with its content.

drop view catalyst.source_totals;
drop table catalyst.source_metrics;
drop table catalyst.source_activity;
drop table catalyst.news_held;
drop table catalyst.news_confirmations;
drop table catalyst.news_securities;
drop table catalyst.news_articles;
drop function catalyst.refuse_news_change();
drop table catalyst.narrative_clusters;
drop table catalyst.source_aliases;
drop table catalyst.news_sources;
drop table catalyst.securities;
drop function catalyst.has_character(bytea);
