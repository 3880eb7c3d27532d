import { useFeed } from './context.js'
import type { Answers } from './feeds.js'
import { bound, count, figure, plain, words } from './format.js'
import { Mark, Named, Panel, type State, When } from './parts.js'

/** Every check: what is wrong first, then what is well with its figure, then what cannot be told. */
export function Checks() {
  return (
    <Panel id="checks" title="Checks" feed={useFeed('findings')} wide>
      {({ findings, passed, unknown, counts, sampled_at }) => (
        <>
          <p class="sum">
            <span>Critical {count(counts.critical)}</span>
            <span>Warnings {count(counts.warning)}</span>
            <span>Notes {count(counts.info)}</span>
            <span>Well {count(passed.length)}</span>
            <span>Not known {count(unknown.length)}</span>
            <span>
              Sampled <When at={sampled_at} />
            </span>
          </p>
          {findings.length > 0 ? (
            <ul class="findings">
              {findings.map((one) => (
                <Wrong key={`${one.check} ${one.object}`} of={one} />
              ))}
            </ul>
          ) : null}
          <ul class="passed" aria-label="Checks that are well: value, and what it has to be">
            {passed.map(({ check, value, threshold }) => (
              <li key={check} data-check={check}>
                <Mark state="ok" />
                <b>{words(check)}</b>
                <span class="value" title={figure(check, value)}>
                  {figure(check, value)}
                </span>
                <span class="bound" title={bound(check, threshold)}>
                  {value === threshold ? '' : bound(check, threshold)}
                </span>
              </li>
            ))}
          </ul>
          {unknown.length > 0 ? (
            <details>
              <summary>What cannot be told yet ({count(unknown.length)})</summary>
              <ul class="unknown">
                {unknown.map(({ check, reason }) => (
                  <li key={check}>
                    <Mark state="unknown" />
                    <span>
                      <b>{words(check)}</b>: {reason}
                    </span>
                  </li>
                ))}
              </ul>
            </details>
          ) : null}
        </>
      )}
    </Panel>
  )
}

type Finding = Answers['findings']['findings'][number]

const Wrong = ({ of }: { of: Finding }) => (
  <li class={of.severity} data-finding={of.check}>
    <Mark state={of.severity as State} />
    <div>
      <h3>{of.title}</h3>
      <p>{of.next_step}</p>
      <p class="fine">
        <span>
          {words(of.check)}
          {of.object === null ? '' : ` · ${of.object}`}
        </span>
        {of.threshold === null ? null : <span>must be {bound(of.check, of.threshold)}</span>}
        <span>
          since <When at={of.since} />
        </span>
        {of.trend ? <span>{of.trend.text}</span> : null}
        <Named of={of.evidence} />
      </p>
      {of.tool ? (
        <code>
          {of.tool.name} {plain(of.tool.arguments)}
        </code>
      ) : null}
    </div>
  </li>
)
