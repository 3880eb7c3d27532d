import { useFeed, useNow } from '../context.js'
import type { Answers } from '../feeds.js'
import { ago, clock } from '../format.js'
import { Facts, Mark, Panel, type State, Table, When } from '../parts.js'

type Latest = Answers['backups']
type Backup = Answers['history']['backups'][number]

const STATES: Readonly<Record<Backup['status'], State>> = {
  completed: 'ok',
  retained: 'info',
  running: 'info',
  failed: 'critical',
}

/** What there is to restore from, and to which moments. */
export function Backups() {
  const history = useFeed('history').data?.backups ?? []
  return (
    <Panel id="backups" title="Backups" feed={useFeed('backups')}>
      {(latest) => (
        <>
          <Timeline latest={latest} history={history} />
          <Facts
            of={[
              [
                'Restorable from',
                latest.oldest_restorable ? <When at={latest.oldest_restorable} /> : 'nothing yet',
              ],
              ['Covered until', <When key="u" at={latest.covered_until} />],
              ['Log', latest.log.state],
              ['Object store', latest.store.status],
              ['Last drill', latest.last_drill ? <When at={latest.last_drill.at} /> : 'never'],
            ]}
          />
          {history.length === 0 ? (
            <p class="empty">
              There is no backup yet. The first one: <code>create_backup {'{"type":"full"}'}</code>
            </p>
          ) : (
            <Table
              label="Backups"
              heads={['Backup', 'Type', 'Taken', '#Size', 'Status', 'Verified', 'Encrypted']}
            >
              {history.slice(0, 12).map((one) => (
                <tr key={one.backup_id}>
                  <th scope="row">{one.backup_id}</th>
                  <td>{one.type}</td>
                  <td>
                    <When at={one.timestamp} />
                  </td>
                  <td class="num">{one.size ?? '–'}</td>
                  <td>
                    <Mark state={STATES[one.status]} say={one.status} />{' '}
                    {one.error ? <small>{one.error.message}</small> : null}
                  </td>
                  <td>
                    {one.verified_level ?? 'not yet'}{' '}
                    {one.verified_at ? <When at={one.verified_at} /> : null}
                  </td>
                  <td>{one.encrypted ? 'yes' : 'no'}</td>
                </tr>
              ))}
            </Table>
          )}
        </>
      )}
    </Panel>
  )
}

const [WIDTH, HEIGHT, BAR_Y, BAR_H] = [1_000, 34, 12, 10]
const HOUR_MS = 3_600_000

interface TimelineProps {
  readonly latest: Latest
  readonly history: readonly Backup[]
}

/** From the oldest moment that can be restored until now: what is covered, where backups and barriers are. */
function Timeline({ latest, history }: TimelineProps) {
  const now = useNow()
  const taken = history.filter(({ status }) => status !== 'running')
  const times = [latest.oldest_restorable, ...taken.map(({ timestamp }) => timestamp)]
    .filter((at) => at !== null)
    .map((at) => Date.parse(at))
  const from = Math.min(now - HOUR_MS, ...times)
  const x = (at: string): number => ((Date.parse(at) - from) / (now - from)) * (WIDTH - 16) + 8
  const { oldest_restorable: oldest, covered_until: until } = latest
  const covered = oldest && until ? ([x(oldest), x(until)] as const) : null
  const said = covered
    ? `Every moment from ${ago(oldest, now)} until ${ago(until, now)} can be restored, except across ${latest.barriers.length} barriers. ${taken.length} backups.`
    : 'Nothing can be restored yet.'
  return (
    <figure class="timeline">
      <svg
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={said}
      >
        <rect class="track" x="8" y={BAR_Y} width={WIDTH - 16} height={BAR_H} />
        {covered ? (
          <rect
            class="covered"
            x={covered[0]}
            y={BAR_Y}
            width={Math.max(2, covered[1] - covered[0])}
            height={BAR_H}
          />
        ) : null}
        {taken.map((one) => (
          <rect
            key={one.backup_id}
            class={`taken ${one.status} ${one.type}`}
            x={x(one.timestamp) - 2}
            y={one.type === 'full' ? 4 : 9}
            width={one.type === 'full' ? 4 : 2}
            height={one.type === 'full' ? 26 : 16}
          >
            <title>{`${one.type} ${one.backup_id}, ${one.status}`}</title>
          </rect>
        ))}
        {latest.barriers.map(({ at, kind, reason }) => (
          <rect key={at} class="barrier" x={x(at) - 2} y="2" width="4" height="30">
            <title>{`${kind}: ${reason}`}</title>
          </rect>
        ))}
      </svg>
      <figcaption>
        <span>{clock(from, now)}</span>
        <span>{said}</span>
        <span>now</span>
      </figcaption>
    </figure>
  )
}
