import type { Caller } from '../../lib/caller.js'

/** Reads any served resource; made from the registry, so the same checks hold as for `resources/read`. */
export type ReadResource = (uri: string, caller: Caller) => Promise<unknown>

/** What a model that cannot read resources by itself explores the database with. */
export class ExploreService {
  readonly #readResource: ReadResource

  constructor(deps: { readonly readResource: ReadResource }) {
    this.#readResource = deps.readResource
  }

  /** The resource's answer. */
  async read(uri: string, caller: Caller): Promise<Record<string, unknown>> {
    return Object(await this.#readResource(uri, caller))
  }
}
