drop index catalyst.news_articles_newest;
drop table catalyst.price_bars_held;
drop table catalyst.bar_series;
drop table catalyst.technical_indicators;
drop table catalyst.price_bars;
drop aggregate catalyst.wilder(numeric, numeric);
drop function catalyst.wilder_value(numeric[]);
drop function catalyst.wilder_step(numeric[], numeric, numeric);
drop function catalyst.ensure_month_partitions(text, timestamptz, timestamptz);
