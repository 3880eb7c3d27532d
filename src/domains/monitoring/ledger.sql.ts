import { machinery, prepared, sql } from '../../platform/postgres/sql.js'

/** A finding that was told, whichever server saw it. */
export interface ToldFinding {
  readonly check_name: string
  readonly object: string
  readonly severity: 'critical' | 'warning' | 'info'
  readonly title: string
  readonly evidence: Readonly<Record<string, unknown>>
  readonly details: Readonly<Record<string, unknown>>
  readonly since: string
  /** Seconds since a server has seen it. */
  readonly unseen_seconds: number
}

/** Everything that was told and has not ended. */
export const toldFindings = () =>
  prepared(
    'monitoring.told',
    machinery(sql<ToldFinding>`
  select
    check_name, object, severity, title, evidence, details, since,
    extract(epoch from clock_timestamp() - seen_at)::float8 as unseen_seconds
  from catalyst.findings
  order by since`),
  )

/** Tells a finding, unless it was told already; the number of rows says which. */
export const begin = (one: {
  readonly check: string
  readonly object: string
  readonly severity: string
  readonly title: string
  readonly evidence: unknown
  readonly details: unknown
}) =>
  machinery(sql`
  insert into catalyst.findings (check_name, object, severity, title, evidence, details)
  values (
    ${one.check}::text, ${one.object}::text, ${one.severity}::text, ${one.title}::text,
    ${JSON.stringify(one.evidence)}::jsonb, ${JSON.stringify(one.details)}::jsonb)
  on conflict (check_name, object) do nothing`)

/** Notes that these are still seen. */
export const see = (keys: readonly { readonly check: string; readonly object: string }[]) =>
  machinery(sql`
  update catalyst.findings f
  set seen_at = clock_timestamp()
  from unnest(${keys.map(({ check }) => check)}::text[], ${keys.map(({ object }) => object)}::text[])
    as seen (check_name, object)
  where f.check_name = seen.check_name and f.object = seen.object`)

/** Ends a finding that nobody has seen for so long; the number of rows says whether this was the one to. */
export const end = (check: string, object: string, unseenMs: number) =>
  machinery(sql`
  delete from catalyst.findings
  where check_name = ${check}::text and object = ${object}::text
    and seen_at < clock_timestamp() - make_interval(secs => ${unseenMs}::float8 / 1000)`)
