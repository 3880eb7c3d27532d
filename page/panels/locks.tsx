import { useFeed } from '../context.js'
import { duration } from '../format.js'
import { Panel } from '../parts.js'

/** A session with those who wait for it. */
interface Tree {
  readonly pid: number
  readonly application_name: string
  readonly state: string | null
  readonly wait_ms: number | null
  readonly transaction_age_ms: number | null
  readonly lock: {
    readonly type: string
    readonly mode: string
    readonly relation: string | null
  } | null
  readonly query: string | null
  readonly next_step?: string
  readonly blocks: readonly Tree[]
}

/** Who waits for whom, the one that everybody waits for first. */
export function Locks() {
  return (
    <Panel
      id="locks"
      title="Locks"
      feed={useFeed('locks')}
      empty={({ trees }) => (trees.length === 0 ? 'Nobody waits for a lock.' : null)}
    >
      {({ trees }) => (
        <ul class="trees">
          {(trees as unknown as readonly Tree[]).map((tree) => (
            <Branch key={tree.pid} of={tree} />
          ))}
        </ul>
      )}
    </Panel>
  )
}

const Branch = ({ of }: { of: Tree }) => (
  <li data-pid={of.pid}>
    <p>
      <b>{of.application_name || 'no name'}</b> <span class="num">pid {of.pid}</span>{' '}
      {of.wait_ms === null
        ? `${of.state ?? ''} for ${duration(of.transaction_age_ms)}, holds`
        : `has waited ${duration(of.wait_ms)} for`}{' '}
      {of.lock ? `${of.lock.mode} on ${of.lock.relation ?? of.lock.type}` : 'a lock'}
    </p>
    {of.query ? <code>{of.query}</code> : null}
    {of.next_step ? <p>{of.next_step}</p> : null}
    {of.blocks.length > 0 ? (
      <ul>
        {of.blocks.map((one) => (
          <Branch key={one.pid} of={one} />
        ))}
      </ul>
    ) : null}
  </li>
)
