-- description: News: securities, sources with tiers and aliases, articles, confirmations, clusters, source totals.

-- Whether the encoding of this database has a character, given in UTF-8.
create function catalyst.has_character(utf8 bytea) returns boolean
language plpgsql stable as $$
begin
  perform convert(utf8, 'UTF8', getdatabaseencoding());
  return true;
exception when untranslatable_character then
  return false;
end
$$;

create table catalyst.securities (
  security_id integer generated always as identity primary key,
  symbol text collate "C" not null unique check (symbol ~ '^[A-Z0-9][A-Z0-9.-]{0,14}$'),
  currency text not null default 'USD' check (currency ~ '^[A-Z]{3}$'),
  -- The least step of its price; null: a cent from a dollar on, a hundredth of one below (17 CFR 242.612).
  tick_size numeric(18, 6) check (tick_size > 0),
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);

create table catalyst.news_sources (
  source_id integer generated always as identity primary key,
  name text not null check (length(btrim(name)) between 1 and 200),
  -- The name trimmed and in lower case, as the server folds it: lower() depends on the locale.
  name_key text collate "C" not null unique check (name_key <> ''),
  tier smallint not null default 5 check (tier between 1 and 5),
  tier_origin text not null default 'default' check (tier_origin in ('seed', 'operator', 'default')),
  created_at timestamptz not null default now()
);

-- Other spellings of a source. A name is looked up here first, then among the sources' own names:
-- always the whole name, never a part of it.
create table catalyst.source_aliases (
  -- Folded like name_key.
  alias text collate "C" primary key check (alias = btrim(alias) and alias <> ''),
  source_id integer not null references catalyst.news_sources
);
create index source_aliases_source on catalyst.source_aliases (source_id);

-- Stories of one security that tell the same thing, whoever published them.
create table catalyst.narrative_clusters (
  cluster_id text collate "C" primary key check (cluster_id ~ '^clu_[0-9a-f]{32}$'),
  -- Clusters that stories link, though they contradict each other, are of one thread.
  thread_id text collate "C" not null,
  security_id integer not null references catalyst.securities,
  first_published timestamptz not null,
  last_published timestamptz not null,
  keywords text[] not null default '{}',
  article_count integer not null check (article_count >= 1),
  source_count integer not null check (source_count between 1 and article_count),
  avg_tier numeric(6, 4) not null check (avg_tier between 1 and 5),
  coordination_score numeric(6, 3) not null check (coordination_score between 0 and 100),
  -- When its figures changed for the last time, which shows in each of its stories.
  changed_at timestamptz not null default clock_timestamp(),
  check (first_published <= last_published)
);
create index narrative_clusters_thread on catalyst.narrative_clusters (thread_id);
create index narrative_clusters_security
  on catalyst.narrative_clusters (security_id, last_published desc);

create table catalyst.news_articles (
  news_id text collate "C" primary key check (news_id ~ '^nws_[0-9a-f]{32}$'),
  headline text not null check (length(headline) between 1 and 2000),
  headline_norm text not null,
  -- Of the source and the norm; whoever finds rows by it compares both as well.
  story_hash integer not null,
  -- One of 52 bits for each term of the headline as it was told first, and how many terms there are:
  -- unlike headlines are told apart without reading them.
  word_bits bigint not null check (word_bits between 0 and 4503599627370495),
  word_count smallint not null check (word_count >= 1),
  source_id integer not null references catalyst.news_sources,
  -- The tier the score was computed with; the source's own may be changed by an operator later.
  source_tier smallint not null check (source_tier between 1 and 5),
  security_id integer references catalyst.securities,
  url text check (length(url) <= 2048),
  snippet text check (length(snippet) <= 10000),
  published_at timestamptz not null,
  collected_at timestamptz not null,
  market_state text not null
    check (market_state in ('pre-market', 'regular', 'after-hours', 'closed', 'weekend')),
  catalyst_type text check (catalyst_type in (
    'earnings', 'fda', 'merger', 'analyst', 'insider', 'legal', 'product', 'guidance',
    'partnership', 'ipo', 'bankruptcy', 'dividend')),
  keywords text[] not null default '{}' check (cardinality(keywords) <= 50),
  urgency numeric(5, 4) not null check (urgency between 0 and 1),
  expected_direction smallint not null default 0 check (expected_direction in (-1, 0, 1)),
  catalyst_score numeric(6, 3) not null check (catalyst_score between 0 and 100),
  score_version smallint not null,
  update_count integer not null default 0 check (update_count >= 0),
  -- When it was repeated, confirmed or put into another cluster for the last time; null until then.
  changed_at timestamptz,
  cluster_id text collate "C" references catalyst.narrative_clusters,
  metadata jsonb not null default '{}',
  -- How its source told it first, where that arrived after this telling; null where this is the first.
  -- Clusters and confirmations go by the first telling, so the order of arrival makes no difference.
  first_told_at timestamptz,
  first_headline text check (length(first_headline) between 1 and 2000),
  first_keywords text[] check (cardinality(first_keywords) <= 50),
  check (published_at <= collected_at + interval '5 minutes'),
  check (first_told_at < published_at),
  check (
    (first_told_at is null) = (first_headline is null)
    and (first_told_at is null) = (first_keywords is null)
  )
);
comment on column catalyst.news_articles.expected_direction is
  'Where the words of the headline expect the price to move; 0 where they do not say.';
create index news_articles_security on catalyst.news_articles (security_id, published_at desc);
create index news_articles_source on catalyst.news_articles (source_id, published_at desc);
-- The norm itself would not fit: a b-tree entry is limited to a third of a page, and a headline of
-- 2000 characters is not.
create index news_articles_story on catalyst.news_articles (story_hash, published_at);
create index news_articles_cluster
  on catalyst.news_articles (cluster_id) where cluster_id is not null;
create index news_articles_keywords on catalyst.news_articles using gin (keywords);
create index news_articles_published on catalyst.news_articles using brin (published_at);

-- A story stays as it was told. Only its repeats, an earlier telling and its cluster may be noted on it. The trigger costs an
-- insert nothing: it fires on updates and deletes alone.
create function catalyst.refuse_news_change() returns trigger
language plpgsql as $$
begin
  if tg_op = 'UPDATE' then
    old.update_count := new.update_count;
    old.cluster_id := new.cluster_id;
    old.changed_at := new.changed_at;
    old.first_told_at := new.first_told_at;
    old.first_headline := new.first_headline;
    old.first_keywords := new.first_keywords;
    old.word_bits := new.word_bits;
    old.word_count := new.word_count;
    if old is not distinct from new then
      return new;
    end if;
  end if;
  raise exception 'news articles are immutable' using errcode = 'restrict_violation';
end
$$;
create trigger news_articles_immutable
  before update or delete on catalyst.news_articles
  for each row execute function catalyst.refuse_news_change();

-- Companies a story names besides the one it was stored for.
create table catalyst.news_securities (
  news_id text collate "C" not null references catalyst.news_articles,
  security_id integer not null references catalyst.securities,
  role text not null default 'mentioned' check (role in ('subject', 'mentioned')),
  primary key (news_id, security_id)
);
create index news_securities_security on catalyst.news_securities (security_id);

create table catalyst.news_confirmations (
  news_id text collate "C" not null references catalyst.news_articles,
  confirmed_by_news_id text collate "C" not null references catalyst.news_articles,
  delay_minutes numeric(10, 3) not null check (delay_minutes >= 0),
  primary key (news_id, confirmed_by_news_id),
  check (news_id <> confirmed_by_news_id)
);
create index news_confirmations_by on catalyst.news_confirmations (confirmed_by_news_id);

-- What a transaction that a client holds open has still to settle before it commits. Rows are written
-- and deleted in one transaction, so nobody ever sees another's, and a crash may lose them.
create unlogged table catalyst.news_held (
  held_id bigint generated always as identity primary key,
  news_id text collate "C" not null,
  -- False: the story was known, and is to be marked.
  is_new boolean not null,
  -- Whether a repeat of the new story, stored by somebody else meanwhile, matters.
  deduplicate boolean not null,
  repeats integer not null,
  mentioned_security_id integer,
  -- An earlier telling of the story; null where there is none.
  first_told_at timestamptz,
  first_headline text,
  first_keywords text[]
);

-- What each transaction adds to a source's totals. Rows are only appended: a counter in
-- source_metrics would make every writer of a source wait for the slowest open transaction.
create table catalyst.source_activity (
  activity_id bigint generated always as identity primary key,
  source_id integer not null references catalyst.news_sources,
  transaction_id xid8 not null default pg_current_xact_id(),
  articles integer not null check (articles >= 0),
  duplicates integer not null check (duplicates >= 0),
  -- Below 0 where a trusted source turns out to have told it first.
  confirmed integer not null,
  recorded_at timestamptz not null default now()
);
create index source_activity_source on catalyst.source_activity (source_id);

-- Activity folded so far.
create table catalyst.source_metrics (
  source_id integer primary key references catalyst.news_sources,
  articles bigint not null default 0 check (articles >= 0),
  duplicates bigint not null default 0 check (duplicates >= 0),
  confirmed bigint not null default 0 check (confirmed >= 0),
  as_of timestamptz not null default now()
);

create view catalyst.source_totals as
select
  s.source_id,
  s.name as source_name,
  s.tier,
  coalesce(m.articles, 0) + coalesce(a.articles, 0) as articles,
  coalesce(m.duplicates, 0) + coalesce(a.duplicates, 0) as duplicates,
  coalesce(m.confirmed, 0) + coalesce(a.confirmed, 0) as confirmed
from catalyst.news_sources s
left join catalyst.source_metrics m on m.source_id = s.source_id
left join lateral (
  select
    sum(u.articles)::bigint as articles,
    sum(u.duplicates)::bigint as duplicates,
    sum(u.confirmed)::bigint as confirmed
  from catalyst.source_activity u
  where u.source_id = s.source_id
) a on true;

insert into catalyst.news_sources (name, name_key, tier, tier_origin)
select name, lower(name collate "C"), tier, 'seed'
from (values
  (1, 'Bloomberg'), (1, 'Reuters'), (1, 'Dow Jones'), (1, 'Associated Press'),
  (2, 'Wall Street Journal'), (2, 'Financial Times'), (2, 'CNBC'), (2, 'MarketWatch'),
  (3, 'Yahoo Finance'), (3, 'Seeking Alpha'), (3, 'Benzinga'), (3, 'Motley Fool'),
  (4, 'Zacks'), (4, 'TipRanks'), (4, 'Stocktwits'), (4, 'Blogs')
) as seed (tier, name);

insert into catalyst.source_aliases (alias, source_id)
select seed.alias, s.source_id
from (values
  ('bloomberg news', 'Bloomberg'), ('bloomberg.com', 'Bloomberg'), ('bloomberg l.p.', 'Bloomberg'),
  ('bloomberg terminal', 'Bloomberg'), ('bloomberg markets', 'Bloomberg'),
  ('reuters.com', 'Reuters'), ('reuters news', 'Reuters'), ('thomson reuters', 'Reuters'),
  ('dow jones newswires', 'Dow Jones'), ('dow jones news', 'Dow Jones'),
  ('dow jones & company', 'Dow Jones'), ('dj newswires', 'Dow Jones'), ('dowjones', 'Dow Jones'),
  ('ap', 'Associated Press'), ('ap news', 'Associated Press'), ('apnews.com', 'Associated Press'),
  ('the associated press', 'Associated Press'),
  ('wsj', 'Wall Street Journal'), ('wsj.com', 'Wall Street Journal'),
  ('the wall street journal', 'Wall Street Journal'),
  ('ft', 'Financial Times'), ('ft.com', 'Financial Times'), ('the financial times', 'Financial Times'),
  ('cnbc.com', 'CNBC'), ('cnbc news', 'CNBC'), ('cnbc tv', 'CNBC'),
  ('marketwatch.com', 'MarketWatch'), ('market watch', 'MarketWatch'),
  ('yahoo', 'Yahoo Finance'), ('yahoo! finance', 'Yahoo Finance'),
  ('finance.yahoo.com', 'Yahoo Finance'), ('yahoo finance news', 'Yahoo Finance'),
  ('seekingalpha', 'Seeking Alpha'), ('seekingalpha.com', 'Seeking Alpha'),
  ('benzinga.com', 'Benzinga'), ('benzinga news', 'Benzinga'), ('benzinga newswires', 'Benzinga'),
  ('the motley fool', 'Motley Fool'), ('fool.com', 'Motley Fool'), ('motleyfool', 'Motley Fool'),
  ('zacks commentary', 'Zacks'), ('zacks.com', 'Zacks'), ('zacks investment research', 'Zacks'),
  ('zacks equity research', 'Zacks'),
  ('tipranks.com', 'TipRanks'), ('tip ranks', 'TipRanks'),
  ('stocktwits.com', 'Stocktwits'), ('stock twits', 'Stocktwits'), ('blog', 'Blogs')
) as seed (alias, name)
join catalyst.news_sources s on s.name = seed.name;
