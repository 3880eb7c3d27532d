import { useFeed } from '../context.js'
import { bytes, count, percent } from '../format.js'
import { Panel, Table, When } from '../parts.js'

/** The largest tables. */
export function Tables() {
  return (
    <Panel
      id="tables"
      title="Tables"
      feed={useFeed('tables')}
      empty={({ tables }) => (tables.length === 0 ? 'There is no table yet.' : null)}
    >
      {({ tables }) => (
        <Table
          label="The largest tables"
          heads={[
            'Table',
            '#Size',
            '#Rows',
            '#Dead',
            '#Bloat',
            '#In cache',
            '#Grows a day',
            'Vacuumed',
          ]}
        >
          {tables.map((one) => (
            <tr key={one.name}>
              <th scope="row">{one.name}</th>
              <td class="num">{one.size}</td>
              <td class="num">{count(one.rows)}</td>
              <td class="num">{count(one.dead_rows)}</td>
              <td class="num">{percent(one.bloat?.share)}</td>
              <td class="num">{percent(one.cache_hit_rate)}</td>
              <td class="num">{bytes(one.growth_bytes_per_day)}</td>
              <td>
                <When at={one.last_vacuum} />
              </td>
            </tr>
          ))}
        </Table>
      )}
    </Panel>
  )
}
