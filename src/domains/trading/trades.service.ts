import { AppError } from '../../errors.js'
import type { Clock } from '../../lib/clock.js'
import { decimal, plain } from '../../lib/decimal.js'
import { newId } from '../../lib/ids.js'
import { type PageKey, pageOf } from '../../lib/page.js'
import { ref } from '../../lib/refs.js'
import type { Database } from '../../platform/postgres/database.js'
import { isDuplicateKey } from '../../platform/postgres/errors.js'
import type { Queryable, Transaction } from '../../platform/postgres/queryable.js'
import type { Policy } from '../../policy.js'
import type { SecurityService } from '../market/securities.service.js'
import { isActedUpon, refuseUnknown, warningsOf } from './fill-references.js'
import { applyFill } from './position.js'
import { describePosition, figuresOf, positionChanges } from './position-rows.js'
import * as lists from './trade-lists.sql.js'
import type { TradeAnswer, TradeExecution } from './trades.schemas.js'
import * as statements from './trades.sql.js'

/** What positions are made from. */
export interface TradeDeps {
  readonly database: Database
  readonly securities: SecurityService
  readonly clock: Clock
  readonly learning: Policy['learning']
}

/** Filters and page of a list, as a resource was asked for them. */
interface ListQuery {
  readonly account_id?: string | undefined
  readonly symbol?: string | undefined
  readonly since?: string | undefined
  readonly until?: string | undefined
  readonly stored_since?: string | undefined
  readonly limit: number
  readonly cursor?: PageKey | undefined
}

/** Clocks of brokers may be ahead of ours by so much. */
const FUTURE_MS = 5 * 60_000

/** Fills as facts, and the positions that they add up to. */
export class TradeService {
  readonly #deps: TradeDeps

  constructor(deps: TradeDeps) {
    this.#deps = deps
  }

  /**
   * Stores one fill and applies it to the position of its account and symbol, which stays locked
   * until the transaction ends.
   *
   * @throws AppError `conflict` when its execution id belongs to another fill, `not_found` for a
   * signal or story that does not exist
   */
  async persistTrade(tx: Transaction, execution: TradeExecution): Promise<TradeAnswer> {
    this.#refuseFuture(execution)
    const book = await this.#lockBook(tx, execution)
    const around = await tx.one(statements.selectSurroundings(book, execution))
    if (around.known_trade_id !== null) return repeatedAnswer(around.known_trade_id, around)
    refuseUnknown(execution, around, book.security_id)
    const { position, is_late } = around
    const steps = applyFill(position && figuresOf(position), {
      side: execution.side,
      quantity: decimal(execution.quantity),
      price: decimal(execution.execution_details.fill_price),
      fees: decimal(execution.fees),
    })
    const changes = positionChanges(steps, position?.position_id ?? null, this.#deps.learning)
    const opens = changes.some(({ effect }) => effect === 'open')
    const answer = { ...describe(changes), warnings: warningsOf(execution, around, { opens }) }
    const trade_id = newId('trd')
    const executesSignal = isActedUpon(around, execution)
    await storeFill(tx, {
      trade_id,
      security_id: book.security_id,
      execution,
      is_late,
      changes,
      executes_signal: executesSignal,
      answer,
    })
    tx.mention([
      ref('trade', trade_id, execution.symbol),
      ...changes.map(({ position_id }) => ref('position', position_id, execution.symbol)),
      ...(executesSignal && execution.signal_id
        ? [ref('signal', execution.signal_id, execution.symbol)]
        : []),
    ])
    return { trade_id, position_updated: true, duplicate: false, is_late, ...answer }
  }

  /** One page of positions, the newest opened first. */
  async listPositions(
    query: ListQuery & {
      readonly status?: string | undefined
      readonly outcome?: string | undefined
      readonly closed_since?: string | undefined
    },
    tx: Queryable | null,
  ) {
    const { status = null, outcome = null, closed_since = null } = query
    const rows = await (tx ?? this.#deps.database).many(
      lists.selectPositions({ ...filtersOf(query), status, outcome, closed_since }),
    )
    return pageOf(rows, query.limit, ({ opened_at, position_id }) => [opened_at, position_id])
  }

  /** One page of fills, the newest filled first. */
  async listTrades(
    query: ListQuery & {
      readonly side?: string | undefined
      readonly signal_id?: string | undefined
    },
    tx: Queryable | null,
  ) {
    const { side = null, signal_id = null } = query
    const rows = await (tx ?? this.#deps.database).many(
      lists.selectTrades({ ...filtersOf(query), side, signal_id }),
    )
    return pageOf(rows, query.limit, ({ fill_time, trade_id }) => [fill_time, trade_id])
  }

  #refuseFuture({ execution_details: { fill_time } }: TradeExecution): void {
    if (Date.parse(fill_time) <= this.#deps.clock.now().getTime() + FUTURE_MS) return
    throw new AppError('invalid_input', 'execution_details.fill_time: lies in the future', {
      hint: 'A fill is a fact that has happened: check the clock and the zone of its time.',
    })
  }

  async #lockBook(
    tx: Transaction,
    { account_id, symbol }: TradeExecution,
  ): Promise<statements.BookRow> {
    const book = await tx.maybeOne(statements.lockBook(account_id, symbol))
    if (book) return book
    const securityId = await this.#deps.securities.idOf(tx, symbol)
    await tx.run(statements.addBook(account_id, securityId))
    return tx.one(statements.lockBook(account_id, symbol))
  }
}

const filtersOf = (query: ListQuery): lists.OfAccount => ({
  account_id: query.account_id ?? null,
  symbol: query.symbol ?? null,
  since: query.since ?? null,
  until: query.until ?? null,
  stored_since: query.stored_since ?? null,
  limit: query.limit,
  after: query.cursor ?? null,
})

/** Its book is locked, so the one key that can be taken meanwhile is its execution id, elsewhere. */
async function storeFill(tx: Transaction, write: statements.FillWrite): Promise<void> {
  try {
    await tx.run(statements.storeFill(write))
  } catch (error) {
    throw isDuplicateKey(error) ? otherFill(error) : error
  }
}

const otherFill = (cause: unknown = null): AppError =>
  new AppError('conflict', 'execution_id: this account has another fill with this id', {
    hint: 'Nothing was stored. A fill is never changed: send the same values again, or another id for another fill. Read catalyst://trades.',
    cause,
  })

/** What was answered first: the position may be another one by now. */
function repeatedAnswer(trade_id: string, around: statements.SurroundingsRow): TradeAnswer {
  const { is_same, known_is_late, known_answer } = around
  if (!is_same || known_answer === null) throw otherFill()
  return {
    trade_id,
    position_updated: false,
    duplicate: true,
    is_late: known_is_late,
    ...known_answer,
  }
}

/** A fill touches one position, or closes one and opens another. */
function describe(touched: readonly statements.FiguresRow[]) {
  const position = touched.at(-1)
  if (!position) throw new Error('a fill touched no position')
  const closed = touched.find(({ status }) => status === 'closed')
  return {
    position: describePosition(position),
    ...(closed ? { closed_position: closedPosition(closed) } : {}),
  }
}

function closedPosition(row: statements.FiguresRow) {
  const { outcome, net_return_bps } = row
  if (outcome === null || net_return_bps === null)
    throw new Error('a closed position has no outcome')
  return { ...describePosition(row), outcome, net_return_bps: plain(decimal(net_return_bps)) }
}
