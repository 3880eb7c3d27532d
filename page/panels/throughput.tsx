import { useState } from 'preact/hooks'
import { Chart } from '../chart.js'
import { useFeed, useShared } from '../context.js'
import { count, duration, percent } from '../format.js'
import { Panel } from '../parts.js'

const TIMES = ['15m', '1h', '6h', '24h', '7d'] as const

/** How much goes through, how fast, and from where. */
export function Throughput() {
  const { feeds } = useShared()
  const [time, set] = useState<string>('1h')
  const choose = (next: string) => {
    set(next)
    feeds.aim('metrics', `db/metrics?timeframe=${next}`)
  }
  const choice = (
    <fieldset class="choice">
      <legend class="unseen">Time shown</legend>
      {TIMES.map((one) => (
        <label key={one}>
          <input type="radio" name="time" checked={one === time} onChange={() => choose(one)} />
          <span>{one}</span>
        </label>
      ))}
    </fieldset>
  )
  return (
    <Panel id="throughput" title="Throughput" feed={useFeed('metrics')} aside={choice} wide>
      {(metrics) => (
        <div class="charts">
          <Chart
            title="Transactions per second"
            lines={[{ series: 'tps', label: 'Ended' }]}
            metrics={metrics}
            say={count}
          />
          <Chart
            title="Statements"
            lines={[
              { series: 'statement_p95_ms', label: 'p95' },
              { series: 'query_avg_ms', label: 'Mean' },
            ]}
            metrics={metrics}
            say={duration}
          />
          <Chart
            title="Found in cache"
            lines={[
              { series: 'cache_hit_ratio', label: 'PostgreSQL' },
              { series: 'redis_hit_ratio', label: 'Redis' },
            ]}
            metrics={metrics}
            say={percent}
          />
          <Chart
            title="Connections"
            lines={[
              { series: 'connections', label: 'Of all clients' },
              { series: 'pool_active', label: 'Busy in our pool' },
            ]}
            metrics={metrics}
            say={count}
          />
          <Chart
            title="Tool calls per minute"
            lines={[
              { series: 'calls_per_minute', label: 'Calls' },
              { series: 'errors_per_minute', label: 'Failed' },
            ]}
            metrics={metrics}
            say={count}
          />
          <Chart
            title="Rolled back"
            lines={[{ series: 'rollback_ratio', label: 'Of all transactions' }]}
            metrics={metrics}
            say={percent}
          />
        </div>
      )}
    </Panel>
  )
}
