import { useState } from 'preact/hooks'
import type { Tools } from '../../src/client/served.js'
import { useFeed, useShared } from '../context.js'
import type { Answers } from '../feeds.js'
import { count, duration, percent } from '../format.js'
import { Mark, Panel, When } from '../parts.js'
import { Refused } from '../source.js'

type Query = Answers['slow']['queries'][number]
type Analysis = Tools['analyze_query']['answer']

/** What takes the database's time, and why. */
export function SlowQueries() {
  return (
    <Panel
      id="slow-queries"
      title="Slow queries"
      feed={useFeed('slow')}
      empty={({ queries, unavailable_reason, since }) =>
        queries.length > 0
          ? null
          : (unavailable_reason ??
            `No statement took 100 ms on average${since ? ` since ${since.slice(0, 16).replace('T', ' ')} UTC` : ''}.`)
      }
    >
      {({ queries, complete }) => (
        <>
          {complete === false ? (
            <p class="fine">PostgreSQL has dropped some statements: the list is not complete.</p>
          ) : null}
          <ul class="queries">
            {queries.map((one) => (
              <Slow key={one.queryid} of={one} />
            ))}
          </ul>
        </>
      )}
    </Panel>
  )
}

type Outcome =
  | { readonly kind: 'asked' }
  | { readonly kind: 'known'; readonly analysis: Analysis }
  | { readonly kind: 'refused'; readonly message: string }

function Slow({ of }: { readonly of: Query }) {
  const { feeds } = useShared()
  const [outcome, set] = useState<Outcome | null>(null)
  const analyse = async () => {
    if (outcome?.kind === 'asked') return
    set({ kind: 'asked' })
    try {
      const answer = await feeds.source.call('analyze_query', { query: of.query })
      set({ kind: 'known', analysis: answer as unknown as Analysis })
    } catch (error) {
      const said = error instanceof Refused ? error.refusal : null
      set({ kind: 'refused', message: `${said?.message ?? String(error)} ${said?.hint ?? ''}` })
    }
  }
  return (
    <li data-query={of.queryid}>
      <p class="figures">
        <b>{duration(of.avg_time_ms)}</b> mean · {count(of.calls)} calls ·{' '}
        {duration(of.total_time_ms)} in all · {percent(of.share_of_total)} of all time ·{' '}
        {count(of.rows)} rows · first seen <When at={of.first_seen} />
        {of.trend ? ` · ${count(of.trend.factor)}× its usual time` : ''}
      </p>
      <code>{of.query ?? 'The text of this statement cannot be seen.'}</code>
      {of.query === null ? null : (
        <button type="button" onClick={analyse}>
          {outcome?.kind === 'asked' ? 'Analysing…' : 'Analyse'}
          <span class="unseen"> this statement</span>
        </button>
      )}
      <div aria-live="polite">
        {outcome?.kind === 'known' ? <Advice of={outcome.analysis} /> : null}
        {outcome?.kind === 'refused' ? (
          <p class="trouble">
            <Mark state="warning" say="Not analysed" /> {outcome.message}
          </p>
        ) : null}
      </div>
    </li>
  )
}

const Advice = ({ of }: { of: Analysis }) => (
  <div class="advice">
    <p>
      <b>Expected gain</b> {of.estimated_improvement}
    </p>
    {of.suggestions.length > 0 ? (
      <ul>
        {of.suggestions.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    ) : (
      <p>Nothing to suggest.</p>
    )}
    {of.indexes.map((one) => (
      <code key={one.create_sql}>{one.create_sql}</code>
    ))}
  </div>
)
