import type { Transaction } from '../../platform/postgres/queryable.js'
import { type Beside, resolveNames } from './news-names.js'

/** Securities by their symbols; one that nobody has named before is registered. */
export class SecurityService {
  readonly #beside: Beside

  constructor(deps: { readonly database: Beside }) {
    this.#beside = deps.database
  }

  /** The id of one security. */
  async idOf(tx: Transaction, symbol: string): Promise<number> {
    const [found] = await resolveNames(tx, { sources: [], symbols: [symbol] }, this.#beside)
    if (!found || found.id === null) throw new Error('a security was neither found nor created')
    return found.id
  }
}
