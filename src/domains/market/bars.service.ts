import type { Clock } from '../../lib/clock.js'
import { pageOf } from '../../lib/page.js'
import { ref } from '../../lib/refs.js'
import { sortableUtcText } from '../../lib/utc-text.js'
import type { Database } from '../../platform/postgres/database.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import { listBars } from './bar-list.sql.js'
import type { BarFilter, PriceBars, PriceBarsAnswer } from './bars.schemas.js'
import * as barSql from './bars.sql.js'
import { cachedIndicators } from './cached-figures.js'
import { recompute, recomputeHeld } from './indicators.js'
import type { Partitions } from './partitions.js'
import { checkBars, type GivenBar } from './price-bars.js'
import type { SecurityService } from './securities.service.js'

/** What bars are made from. */
export interface BarDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly partitions: Pick<Partitions, 'ensure'>
  readonly clock: Clock
}

/** Price bars, and the indicators computed from them. */
export class BarService {
  readonly #deps: BarDeps

  constructor(deps: BarDeps) {
    this.#deps = deps
  }

  /** Stores the valid bars of a call, recomputes what depends on them, and reports the others. */
  async persistBars(tx: Transaction, input: PriceBars): Promise<PriceBarsAnswer> {
    const nowMs = this.#deps.clock.now().getTime()
    const { bars, repeats, errors } = await checkBars(input.bars, input.timeframe, nowMs)
    const changed = await this.#save(tx, input, bars)
    const stored = changed.filter(({ is_new }) => is_new).length
    const superseded = bars.reduce((sum, bar) => sum + bar.superseded, 0)
    return {
      stored,
      replaced: changed.length - stored + superseded,
      unchanged: bars.length - changed.length + repeats,
      rejected: errors.length,
      errors,
    }
  }

  /** One page of bars, the newest first. */
  async list(filter: BarFilter, tx: Queryable | null) {
    const rows = await (tx ?? this.#deps.database).many(listBars(filter))
    const { items, next_cursor } = pageOf(rows, filter.limit, (row) => [
      row.ts,
      String(row.security_id),
      row.timeframe,
    ])
    return { items: items.map(({ security_id, ...item }) => item), next_cursor }
  }

  /** The newest indicators of a symbol, to be cached. */
  indicators(symbol: string) {
    return cachedIndicators(this.#deps.database, symbol)
  }

  /** The bars of these that changed something. */
  async #save(
    tx: Transaction,
    { symbol, timeframe }: PriceBars,
    bars: readonly GivenBar[],
  ): Promise<barSql.ChangedBar[]> {
    const [first, last] = [bars[0]?.ts, bars.at(-1)?.ts]
    if (first === undefined || last === undefined) return []
    const { partitions, securities } = this.#deps
    // First of all: attaching a partition waits for whoever has just added a security.
    await partitions.ensure(
      tx,
      bars.map(({ ts }) => ts),
    )
    const series = { security_id: await securities.idOf(tx, symbol), timeframe }
    const changed = await tx.many(barSql.saveBars(series, bars, { first, last }))
    if (changed.length > 0) {
      tx.touch('indicators', [symbol])
      tx.mention([ref('price_bars', `${symbol}:${timeframe}`, symbol)])
    }
    const times = changed.map(({ ts }) => sortableUtcText(ts)).sort()
    if (tx.held) await recomputeHeld(tx, tx.held, series, times)
    else await recompute(tx, series, times)
    return changed
  }
}
