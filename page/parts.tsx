import type { ComponentChildren } from 'preact'
import { useNow } from './context.js'
import { type Feed, isAway } from './feeds.js'
import { ago, clock, plain, words } from './format.js'

/** How something is: each has a word and a shape of its own, for colour alone tells not everybody. */
export type State = 'ok' | 'info' | 'warning' | 'critical' | 'unknown'

const SHAPES: Readonly<Record<State, string>> = {
  ok: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm3 4.2L7 9.4 5 7.5 4 8.6l3.1 2.9 5-5.2Z',
  info: 'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1ZM7.2 7v5h1.6V7Zm0-3v1.6h1.6V4Z',
  warning: 'M8 1.2 15.4 14.5H.6ZM7.2 6v4.2h1.6V6Zm0 5.3v1.6h1.6v-1.6Z',
  critical:
    'M5 1h6l4 4v6l-4 4H5l-4-4V5Zm.3 5.4L6.9 8 5.3 9.6l1.1 1.1L8 9.1l1.6 1.6 1.1-1.1L9.1 8l1.6-1.6-1.1-1.1L8 6.9 6.4 5.3Z',
  unknown:
    'M8 1a7 7 0 1 1 0 14A7 7 0 0 1 8 1Zm0 1.6a5.4 5.4 0 1 0 0 10.8A5.4 5.4 0 0 0 8 2.6ZM5 7.2h6v1.6H5Z',
}

const SAID: Readonly<Record<State, string>> = {
  ok: 'OK',
  info: 'Note',
  warning: 'Warning',
  critical: 'Critical',
  unknown: 'Unknown',
}

/** A state as shape and word. */
export const Mark = ({ state, say = SAID[state] }: { state: State; say?: string }) => (
  <span class={`mark ${state}`}>
    <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
      <path d={SHAPES[state]} fill-rule="evenodd" />
    </svg>
    <span>{say}</span>
  </span>
)

/** An instant: how long ago, and exactly on request. */
export function When({ at }: { readonly at: string | null | undefined }) {
  const now = useNow()
  if (!at) return <span>never</span>
  return (
    <time dateTime={at} title={at}>
      {ago(at, now)}
    </time>
  )
}

/** An instant as the time of day. */
export function At({ at }: { readonly at: string }) {
  return (
    <time dateTime={at} title={at}>
      {clock(at, useNow())}
    </time>
  )
}

/** Names with their values. */
export const Facts = ({ of }: { of: readonly (readonly [string, ComponentChildren])[] }) => (
  <dl class="facts">
    {of.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd {...(typeof value === 'string' ? { title: value } : {})}>{value}</dd>
      </div>
    ))}
  </dl>
)

/** Named figures, such as evidence, on one line. */
export const Named = ({ of }: { of: Readonly<Record<string, unknown>> }) => (
  <span class="named">
    {Object.entries(of).map(([name, value]) => (
      <span key={name}>
        <i>{words(name)}</i> {plain(value)}
      </span>
    ))}
  </span>
)

interface PanelProps<T> {
  readonly id: string
  readonly title: string
  readonly feed: Feed<T>
  /** What is said when there is nothing, for that is good to know as well. */
  readonly empty?: (data: T) => string | null
  readonly aside?: ComponentChildren
  readonly wide?: boolean
  readonly children: (data: T) => ComponentChildren
}

/** A section of the page, in whichever state its resource is. */
export function Panel<T>({ id, title, feed, empty, aside, wide, children }: PanelProps<T>) {
  const { data } = feed
  const nothing = data === null ? null : (empty?.(data) ?? null)
  return (
    <section id={id} class={wide ? 'panel wide' : 'panel'} aria-labelledby={`${id}-title`}>
      <header>
        <h2 id={`${id}-title`} tabIndex={-1}>
          {title}
        </h2>
        {aside}
      </header>
      <Trouble feed={feed} />
      {data === null ? (
        <Loading feed={feed} />
      ) : nothing ? (
        <Empty>{nothing}</Empty>
      ) : (
        children(data)
      )}
    </section>
  )
}

/** That something is being read; nothing once it is known that it cannot be. */
const Loading = ({ feed }: { feed: Feed<unknown> }) =>
  feed.error ? null : (
    <p class="loading">
      <span class="bars" aria-hidden="true" />
      Reading…
    </p>
  )

/** Why what is shown is not new, and from when it is. */
function Trouble({ feed }: { readonly feed: Feed<unknown> }) {
  const now = useNow()
  if (!feed.error) return null
  const { message, hint } = feed.error
  return (
    <p class="trouble">
      <Mark
        state={isAway(feed.error) ? 'unknown' : 'warning'}
        say={isAway(feed.error) ? 'Away' : 'Error'}
      />{' '}
      {message} {hint}{' '}
      {feed.at === null
        ? ''
        : `Shown is what was known ${ago(new Date(feed.at).toISOString(), now)}.`}
    </p>
  )
}

/** That there is nothing. */
const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>

/** A table that scrolls sideways by itself where it is too wide, and can be reached by keyboard then. */
export const Table = ({
  label,
  heads,
  children,
}: {
  label: string
  heads: readonly string[]
  children: ComponentChildren
}) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  <section class="scroll" tabIndex={0} aria-label={label}>
    <table>
      <thead>
        <tr>
          {heads.map((head) => (
            <th key={head} scope="col" class={head.startsWith('#') ? 'num' : ''}>
              {head.replace('#', '')}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>{children}</tbody>
    </table>
  </section>
)
