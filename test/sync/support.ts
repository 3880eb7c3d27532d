import { story, uniqueHeadline } from '../market/support.js'
import type { TestClient } from '../support/app.js'
import type { TestDatabase } from '../support/database.js'
import { fill, uniqueSymbol } from '../trading/support.js'

/** How the position ends: prices at which it is left after an entry at 100. */
const EXITS = { win: '101', loss: '99', scratch: '100.1' } as const

export type Result = keyof typeof EXITS

/** A new story of a source. */
export async function tell(client: TestClient, source: string, overrides = {}): Promise<string> {
  const { news_id } = await client.tool('persist_news_catalyst', {
    ...story({ source, headline: uniqueHeadline(), symbol: uniqueSymbol() }),
    ...overrides,
  })
  return news_id
}

/** Opens and closes a position that cites a story, or none; returns its id. */
export async function closePosition(
  client: TestClient,
  result: Result,
  entry_news_id: string | null,
  minute = 0,
): Promise<string> {
  const symbol = uniqueSymbol()
  const at = (more: number) => new Date(Date.UTC(2024, 7, 12, 14, minute + more)).toISOString()
  const opening = fill(
    { symbol, catalyst_tracking: { entry_news_id } },
    { fill_price: '100', fill_time: at(0) },
  )
  await client.tool('persist_trade_execution', opening)
  const { closed_position } = await client.tool(
    'persist_trade_execution',
    fill({ symbol, side: 'sell' }, { fill_price: EXITS[result], fill_time: at(30) }),
  )
  return closed_position.position_id
}

/** Everything that was learned, as text that can be compared between databases. */
export async function learned(database: TestDatabase): Promise<string> {
  const [row] = await database.query<{ text: string }>(`
    select string_agg(line, e'\\n' order by line) as text
    from (
      select concat_ws(' ', 'outcome', a.headline, o.was_accurate, o.w_win, o.w_loss,
        o.n_positions, o.status, o.move_1h, o.move_24h, o.reason) as line
      from catalyst.news_outcomes o join catalyst.news_articles a using (news_id)
      union all
      select concat_ws(' ', 'evidence', a.headline, e.weight, e.result, e.net_return_bps)
      from catalyst.news_outcome_evidence e join catalyst.news_articles a using (news_id)
      union all
      select concat_ws(' ', 'source', s.name, m.w_win, m.w_loss, m.n_eff, m.accuracy_rate,
        m.reliability, m.ci_low, m.ci_high)
      from catalyst.source_metrics m join catalyst.news_sources s using (source_id)
      where m.n_eff > 0
      union all
      select concat_ws(' ', 'position', p.net_return_bps, p.learned_at is not null,
        p.no_evidence_reason, count(*))
      from catalyst.positions p
      where status = 'closed'
      group by p.net_return_bps, p.learned_at is not null, p.no_evidence_reason
    ) lines`)
  return row?.text ?? ''
}
