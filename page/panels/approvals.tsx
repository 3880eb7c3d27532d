import { useEffect, useRef, useState } from 'preact/hooks'
import { useFeed, useShared } from '../context.js'
import type { Answers } from '../feeds.js'
import { plain, words } from '../format.js'
import { Mark, Named, Panel, When } from '../parts.js'
import { type Refusal, Refused } from '../source.js'

type Recommendation = Answers['recommendations']['recommendations'][number]
type Decision = 'approve' | 'deny'

/** What has to be agreed to before it is done, as the server asked for it. */
interface Question {
  readonly one: Recommendation
  readonly asked: Refusal
}

/** What the assistant proposes, and the two answers to it. They go the way of every tool. */
export function Approvals() {
  const { feeds, visitor } = useShared()
  const feed = useFeed('recommendations')
  const [question, ask] = useState<Question | null>(null)
  const [said, say] = useState('')
  const [busy, setBusy] = useState<string | null>(null)
  const mayDecide = visitor.scopes?.includes('db:admin') ?? true

  const decide = async (one: Recommendation, decision: Decision, confirm_token?: string) => {
    const { recommendation_id } = one
    // Buttons are not disabled meanwhile: one that is loses the focus.
    if (busy !== null) return
    setBusy(recommendation_id)
    try {
      const args = { recommendation_id, decision, ...(confirm_token ? { confirm_token } : {}) }
      const { status, result } = await feeds.source.call('decide_recommendation', args)
      ask(null)
      say(`${words(one.action)}: ${status}. ${result ? plain(result) : ''}`)
    } catch (error) {
      const asked = error instanceof Refused ? error.refusal : null
      if (asked?.code === 'confirmation_required' && asked.confirm_token) {
        ask({ one, asked })
      } else {
        ask(null)
        say(
          `${words(one.action)}: not done. ${asked?.message ?? String(error)} ${asked?.hint ?? ''}`,
        )
      }
    } finally {
      setBusy(null)
      feeds.refresh('recommendations', 'findings')
    }
  }

  const nothing = 'Nothing waits. What the assistant may not do by itself is proposed here.'
  return (
    <>
      <Panel
        id="approvals"
        title="Waiting for approval"
        feed={feed}
        empty={({ recommendations }) => (recommendations.length === 0 ? nothing : null)}
      >
        {({ recommendations }) => (
          <ul class="recommendations">
            {recommendations.map((one) => (
              <li key={one.recommendation_id} data-recommendation={one.recommendation_id}>
                <h3>
                  {words(one.action)}: {one.object}
                </h3>
                <p>{one.reason}</p>
                <p class="fine">
                  <Named of={one.evidence} />
                  <span>
                    proposed <When at={one.created_at} />, ends <When at={one.expires_at} />
                  </span>
                </p>
                <code>
                  {one.tool} {plain(one.arguments)}
                </code>
                <div class="buttons">
                  <button
                    type="button"
                    class="primary"
                    disabled={!mayDecide}
                    onClick={() => decide(one, 'approve')}
                  >
                    Approve
                    <span class="unseen">
                      {' '}
                      {words(one.action)} {one.object}
                    </span>
                    …
                  </button>
                  <button type="button" disabled={!mayDecide} onClick={() => decide(one, 'deny')}>
                    Deny
                    <span class="unseen">
                      {' '}
                      {words(one.action)} {one.object}
                    </span>
                  </button>
                  {mayDecide ? null : <span class="fine">Needs a token with db:admin.</span>}
                </div>
              </li>
            ))}
          </ul>
        )}
      </Panel>
      <p role="status" class={said ? 'said' : 'unseen'}>
        {said}
      </p>
      {question ? (
        <Confirm
          of={question}
          onYes={() => decide(question.one, 'approve', question.asked.confirm_token)}
          onNo={() => {
            ask(null)
            say('Nothing was done.')
          }}
        />
      ) : null}
    </>
  )
}

interface ConfirmProps {
  readonly of: Question
  readonly onYes: () => void
  readonly onNo: () => void
}

/** The plan, word for word as the server will carry it out, and whether it shall. */
function Confirm({ of: { asked }, onYes, onNo }: ConfirmProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    const shown = dialog.current
    const before = document.activeElement
    shown?.showModal()
    return () => {
      shown?.close()
      if (before instanceof HTMLElement && before.isConnected) before.focus()
      else document.getElementById('approvals-title')?.focus()
    }
  }, [])
  return (
    <dialog
      ref={dialog}
      aria-labelledby="confirm-title"
      onCancel={(event) => {
        event.preventDefault()
        onNo()
      }}
    >
      <h2 id="confirm-title">Carry this out?</h2>
      <p>{asked.message}</p>
      <dl class="plan">
        {Object.entries(asked.plan ?? {}).map(([name, value]) => (
          <div key={name}>
            <dt>{words(name)}</dt>
            <dd>{plain(value)}</dd>
          </div>
        ))}
      </dl>
      <p class="fine">
        <Mark state="info" say="Once" /> The answer is good for ten minutes, for exactly this plan.
      </p>
      <div class="buttons">
        <button type="button" class="primary" onClick={onYes}>
          Carry it out
        </button>
        {/* biome-ignore lint/a11y/noAutofocus: the safe answer is the one at hand */}
        <button type="button" autoFocus onClick={onNo}>
          Leave it
        </button>
      </div>
    </dialog>
  )
}
