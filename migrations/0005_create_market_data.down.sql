drop index catalyst.news_articles_newest;
drop table catalyst.price_bars_held;
drop table catalyst.bar_series;
drop table catalyst.technical_indicators;
drop table catalyst.price_bars;
drop function catalyst.ensure_month_partitions(text, timestamptz, timestamptz);
