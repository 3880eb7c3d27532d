drop table catalyst.sync_state;
drop table catalyst.source_changes;
drop table catalyst.source_metrics_daily;
alter table catalyst.source_activity drop column lead_minutes;
alter table catalyst.source_metrics
  drop constraint source_metrics_interval,
  drop column params_version,
  drop column lead_minutes,
  drop column ci_high,
  drop column ci_low,
  drop column reliability,
  drop column accuracy_rate,
  drop column n_eff,
  drop column w_loss,
  drop column w_win;
drop table catalyst.news_outcome_evidence;
drop table catalyst.news_outcomes;
