import {
  type Answer,
  isSlow,
  isUp,
  lastRestore,
  whatChanged,
  whatRunsOut,
  whatWaits,
  whatWouldBeLost,
  whoBlocks,
} from './answers.js'
import { useFeed, useNow } from './context.js'
import type { Feed } from './feeds.js'
import { isAway } from './feeds.js'
import { Facts, Mark } from './parts.js'

/** The eight questions that an operator comes with, each with its answer on the first screen. */
export function Questions() {
  const now = useNow()
  const findings = useFeed('findings').data
  const [status, metrics, locks] = [useFeed('status'), useFeed('metrics'), useFeed('locks')]
  const [backups, changes, waiting] = [
    useFeed('backups'),
    useFeed('changes'),
    useFeed('recommendations'),
  ]
  return (
    <section class="questions" aria-labelledby="now">
      <h2 id="now" class="unseen">
        Right now
      </h2>
      <Question id="up" ask="Is it up?" feed={status} answer={isUp} />
      <Question id="slow" ask="Is it slow?" feed={metrics} answer={(it) => isSlow(it, findings)} />
      <Question
        id="blocks"
        ask="Who blocks?"
        feed={locks}
        answer={(it) => whoBlocks(it, findings)}
        more="locks"
      />
      <Question
        id="finite"
        ask="What runs out, and when?"
        feed={useFeed('findings')}
        answer={whatRunsOut}
      />
      <Question
        id="restore"
        ask="Last verified restore?"
        feed={backups}
        answer={(it) => lastRestore(it, findings, now)}
        more="backups"
      />
      <Question
        id="rpo"
        ask="What would be lost now?"
        feed={backups}
        answer={(it) => whatWouldBeLost(it, findings, now)}
        more="backups"
      />
      <Question
        id="changed"
        ask="What changed in the last hour?"
        feed={changes}
        answer={(it) => whatChanged(it, now)}
        more="events"
      />
      <Question
        id="waits"
        ask="What waits for approval?"
        feed={waiting}
        answer={(it) => whatWaits(it, now)}
        more="approvals"
      />
    </section>
  )
}

interface QuestionProps<T> {
  readonly id: string
  readonly ask: string
  readonly feed: Feed<T>
  readonly answer: (data: T) => Answer
  /** The panel that says more. */
  readonly more?: string
}

function Question<T>({ id, ask, feed, answer, more }: QuestionProps<T>) {
  const given = feed.data === null ? null : answer(feed.data)
  const state = feed.error ? 'unknown' : (given?.state ?? 'unknown')
  const said = isAway(feed.error) ? 'Away' : feed.error ? 'Error' : given ? given.said : 'Reading…'
  return (
    <article class={`question ${state}${feed.error ? ' old' : ''}`} aria-labelledby={`q-${id}`}>
      <header>
        <h3 id={`q-${id}`}>{more ? <a href={`#${more}`}>{ask}</a> : ask}</h3>
        <Mark state={state} {...(said ? { say: said } : {})} />
      </header>
      <p class="answer" data-answer={id}>
        {given?.text ?? (feed.error ? 'Not known' : '…')}
      </p>
      {feed.error && !given ? <p class="why">{feed.error.message}</p> : null}
      {given ? <Facts of={given.facts} /> : null}
    </article>
  )
}
