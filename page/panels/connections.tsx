import { useFeed } from '../context.js'
import { count, duration } from '../format.js'
import { Facts, Panel, Table, When } from '../parts.js'

const SHOWN = 12

/** Who is connected, the longest at work first. */
export function Connections() {
  return (
    <Panel id="connections" title="Connections" feed={useFeed('connections')}>
      {({ pool_stats: pool, connection_details: all }) => {
        const states = Object.groupBy(all, ({ state }) => state ?? 'unknown')
        const busy = [...all].sort((a, b) => rank(b) - rank(a)).slice(0, SHOWN)
        return (
          <>
            <Facts
              of={[
                ['Pool in use', `${count(pool.active)} of ${count(pool.max)}`],
                ['Waiting for one', count(pool.waiting)],
                ...Object.entries(states).map(
                  ([state, some]) => [state, count(some?.length)] as const,
                ),
              ]}
            />
            <Table
              label="Connections of the database"
              heads={['Application', '#pid', 'State', '#Transaction', '#Statement', 'Connected']}
            >
              {busy.map((one) => (
                <tr key={one.pid}>
                  <th scope="row">{one.application_name || 'no name'}</th>
                  <td class="num">{one.pid}</td>
                  <td>
                    {one.state}
                    {one.wait_event ? <small> {one.wait_event}</small> : null}
                  </td>
                  <td class="num">{duration(one.transaction_age_ms)}</td>
                  <td class="num">{one.state === 'active' ? duration(one.query_age_ms) : '–'}</td>
                  <td>
                    <When at={one.connected_at} />
                  </td>
                </tr>
              ))}
            </Table>
          </>
        )
      }}
    </Panel>
  )
}

const rank = (one: { transaction_age_ms: number | null; state: string | null }): number =>
  one.transaction_age_ms ?? (one.state === 'active' ? 0 : -1)
