import type { Caller } from '../../lib/caller.js'

/** Reads any served resource; made from the registry, so the same checks hold as for `resources/read`. */
export type ReadResource = (uri: string, caller: Caller) => Promise<unknown>

/** What a model that cannot read resources by itself explores the database with. */
export class ExploreService {
  readonly #readResource: ReadResource
  readonly #index: () => Record<string, string>

  constructor(deps: {
    readonly readResource: ReadResource
    /** Every path with its filters. */
    readonly index: () => Record<string, string>
  }) {
    this.#readResource = deps.readResource
    this.#index = deps.index
  }

  /** The resource's answer; of nothing or "help", what there is to read. */
  async read(uri: string, caller: Caller): Promise<Record<string, unknown>> {
    if (/^\s*(catalyst:\/\/)?(help)?\s*$/i.test(uri)) {
      return { resources: this.#index(), usage: 'path?filter=value&filter=value' }
    }
    return Object(await this.#readResource(uri, caller))
  }
}
