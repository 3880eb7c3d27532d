import { useFeed } from '../context.js'
import type { Answers } from '../feeds.js'
import { plain } from '../format.js'
import { At, Mark, Panel } from '../parts.js'

type PublishedEvent = Answers['events']['events'][number]

/** What happened, the newest first. */
export function Events() {
  return (
    <Panel
      id="events"
      title="Events"
      feed={useFeed('events')}
      empty={({ events }) => (events.length === 0 ? 'Nothing has happened yet.' : null)}
    >
      {({ events }) => (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
        <section class="feed" tabIndex={0} aria-label="Events, the newest first">
          <ol reversed>
            {[...events].reverse().map((one) => (
              <li key={one.seq} data-seq={one.seq}>
                <At at={one.at} />
                <Mark state={one.severity} />
                <b>{one.type}</b>
                <span>{gistOf(one)}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
    </Panel>
  )
}

const LEFT_OUT = new Set(['refs', 'transaction_id'])

/** The payload in one line. */
const gistOf = ({ data }: PublishedEvent): string =>
  Object.entries(data)
    .filter(([name, value]) => !LEFT_OUT.has(name) && value !== null)
    .map(([name, value]) => `${name} ${plain(value)}`)
    .join(' · ')
