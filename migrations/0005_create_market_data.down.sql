drop table catalyst.technical_indicators;
drop table catalyst.price_bars;
drop function catalyst.ensure_month_partitions(text, timestamptz, timestamptz);
