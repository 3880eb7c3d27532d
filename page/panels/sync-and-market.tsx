import { useFeed } from '../context.js'
import { count, words } from '../format.js'
import { Facts, Panel, When } from '../parts.js'

/** What waits to be learned from. */
export const Sync = () => (
  <Panel id="sync" title="Sync backlog" feed={useFeed('sync')}>
    {({ catalyst_outcomes: trades, source_metrics: sources, pattern_outcomes: patterns }) => (
      <Facts
        of={[
          ['Trade outcomes waiting', count(trades.pending_updates)],
          ['Last learned', <When key="t" at={trades.last_sync} />],
          ['Sources to count', count(sources.pending_calculations)],
          ['Last counted', <When key="s" at={sources.last_update} />],
          ['Pattern outcomes open', count(patterns.pending_outcomes)],
          ['Of these due', count(patterns.due_outcomes)],
        ]}
      />
    )}
  </Panel>
)

/** Whether the market is open. */
export const Market = () => (
  <Panel id="market" title="Market clock" feed={useFeed('clock')}>
    {(clock) => (
      <Facts
        of={[
          ['Market', words(clock.market_state)],
          ['Trading day', `${clock.trading_date}${clock.is_half_day ? ', half day' : ''}`],
          ['Opens', <When key="o" at={clock.next_open} />],
          ['Closes', <When key="c" at={clock.next_close} />],
          ['Time zone', clock.timezone],
        ]}
      />
    )}
  </Panel>
)
