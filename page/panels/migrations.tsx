import { useFeed } from '../context.js'
import { count, duration } from '../format.js'
import { Facts, Mark, Panel, Table, When } from '../parts.js'

/** Where the schema stands, and how it came there. */
export function Migrations() {
  const applied = useFeed('applied').data
  return (
    <Panel id="migrations" title="Migrations" feed={useFeed('migrations')}>
      {({ current_version, pending_migrations, problems }) => (
        <>
          <Facts
            of={[
              ['Version', count(current_version)],
              ['Pending', count(pending_migrations.length)],
              ['Problems', count(problems.length)],
            ]}
          />
          {problems.map(({ name, message, next_step }) => (
            <p key={name} class="trouble">
              <Mark state="critical" say="Problem" /> {name}: {message} {next_step}
            </p>
          ))}
          {pending_migrations.map(({ version, name, description }) => (
            <p key={version}>
              <Mark state="info" say="Pending" /> {version} {name} {description}
            </p>
          ))}
          {applied ? (
            <Table
              label="Migrations that ran"
              heads={['#Version', 'Name', 'Direction', 'When', '#Took', 'By']}
            >
              {applied.migrations.map((one) => (
                <tr key={`${one.version} ${one.applied_at}`}>
                  <td class="num">{one.version}</td>
                  <th scope="row">{one.name}</th>
                  <td>{one.direction}</td>
                  <td>
                    <When at={one.applied_at} />
                  </td>
                  <td class="num">{duration(one.duration_ms)}</td>
                  <td>{one.applied_by}</td>
                </tr>
              ))}
            </Table>
          ) : null}
        </>
      )}
    </Panel>
  )
}
