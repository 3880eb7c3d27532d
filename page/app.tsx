import { useEffect, useState } from 'preact/hooks'
import { Checks } from './checks.js'
import {
  Clock,
  SharedContext,
  useFeed,
  useNow,
  useReach,
  useShared,
  type Visitor,
} from './context.js'
import { Feeds, isAway } from './feeds.js'
import { ago, clock, words } from './format.js'
import { Approvals } from './panels/approvals.js'
import { Backups } from './panels/backups.js'
import { Connections } from './panels/connections.js'
import { Events } from './panels/events.js'
import { Locks } from './panels/locks.js'
import { Migrations } from './panels/migrations.js'
import { SlowQueries } from './panels/slow-queries.js'
import { Market, Sync } from './panels/sync-and-market.js'
import { Tables } from './panels/tables.js'
import { Throughput } from './panels/throughput.js'
import { Mark, type State } from './parts.js'
import { Questions } from './questions.js'
import type { Source } from './source.js'

interface ConsoleProps {
  readonly source: Source
  readonly visitor: Visitor
  /** Asked for by the visitor, or by a server that no longer knows them. */
  readonly onSignOut: () => void
}

/** The page of whoever may see it. */
export function Console({ source, visitor, onSignOut }: ConsoleProps) {
  const [feeds] = useState(() => new Feeds(source))
  useEffect(() => {
    feeds.start()
    return () => feeds.stop()
  }, [feeds])
  return (
    <SharedContext.Provider value={{ feeds, visitor }}>
      <Clock>
        <a class="skip" href="#main">
          Skip to what matters now
        </a>
        <Head onSignOut={onSignOut} />
        <main id="main" tabIndex={-1}>
          <Banner />
          <Questions />
          <Checks />
          <Throughput />
          <div class="stack">
            <Approvals />
            <Locks />
            <SlowQueries />
            <Sync />
            <Market />
          </div>
          <div class="stack">
            <Connections />
          </div>
          <div class="stack">
            <Backups />
            <Migrations />
          </div>
          <div class="stack">
            <Events />
            <Tables />
          </div>
        </main>
      </Clock>
    </SharedContext.Provider>
  )
}

const VERDICTS: Readonly<Record<string, State>> = {
  healthy: 'ok',
  degraded: 'warning',
  unhealthy: 'critical',
}

const PARTS = [
  ['checks', 'Checks'],
  ['throughput', 'Throughput'],
  ['approvals', 'Approvals'],
  ['locks', 'Locks'],
  ['slow-queries', 'Queries'],
  ['connections', 'Connections'],
  ['backups', 'Backups'],
  ['migrations', 'Migrations'],
  ['events', 'Events'],
  ['tables', 'Tables'],
] as const

function Head({ onSignOut }: { readonly onSignOut: () => void }) {
  const { visitor } = useShared()
  const { data } = useFeed('status')
  const market = useFeed('clock').data
  const reach = useReach()
  const now = useNow()
  const isGone = reach.server === 'away' || reach.server === 'signed out'
  const verdict = isGone ? 'no answer' : (data?.status ?? 'reading…')
  useEffect(() => {
    if (reach.server === 'signed out') onSignOut()
  }, [reach.server, onSignOut])
  return (
    <header class="head">
      <h1>
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <path d="M3 18h6l4-11 5 18 4-8h7" />
        </svg>
        catalyst-db
      </h1>
      <p role="status" class="verdict">
        <Mark state={isGone ? 'unknown' : (VERDICTS[verdict] ?? 'unknown')} say={words(verdict)} />
      </p>
      <nav aria-label="Parts of this page">
        <ul>
          {PARTS.map(([id, title]) => (
            <li key={id}>
              <a href={`#${id}`}>{title}</a>
            </li>
          ))}
        </ul>
      </nav>
      <p class="reach">
        {market ? <span>Market {market.market_state}</span> : null}
        <span>
          {reach.isLive ? 'Live' : 'Asking every few seconds'}, heard {clock(reach.heardAt, now)}
        </span>
        {visitor.name ? <span>{visitor.name}</span> : null}
        {visitor.sign_in ? (
          <button type="button" onClick={onSignOut}>
            Sign out
          </button>
        ) : null}
      </p>
    </header>
  )
}

/** What makes everything below it old: the server, or its database, does not answer. */
function Banner() {
  const reach = useReach()
  const status = useFeed('status')
  const now = useNow()
  const { data } = status
  const isDown = data?.postgresql.status === 'down' || isAway(status.error)
  return (
    <div role="alert" class="banner-place">
      {reach.server === 'away' ? (
        <p class="banner critical">
          <Mark state="critical" say="Server away" />
          <span>
            This server does not answer.{' '}
            {reach.heardAt === null
              ? 'It has not been heard of yet.'
              : `It was last heard ${ago(new Date(reach.heardAt).toISOString(), now)}; what is shown is from then.`}{' '}
            It is asked again every few seconds.
          </span>
        </p>
      ) : isDown ? (
        <p class="banner critical">
          <Mark state="critical" say="Database away" />
          <span>
            {data?.postgresql.reason ?? status.error?.message} What is shown below is what was known
            before; it is read again as soon as the database answers.
          </span>
        </p>
      ) : null}
    </div>
  )
}
