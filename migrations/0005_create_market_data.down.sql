drop index catalyst.news_articles_strong;
drop index catalyst.news_articles_type;
drop index catalyst.news_articles_newest;
drop table catalyst.price_bars_held;
drop table catalyst.bar_series;
