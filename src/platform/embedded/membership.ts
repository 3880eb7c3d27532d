import { randomBytes } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { createRecord, readRecord, removeRecord } from './files.js'
import { formatIdentity, isRunning, parseIdentity, self } from './process-identity.js'

/** A service that several servers may share. */
export type ServiceName = 'postgres' | 'redis'

const PREFIX = 'member.'

/**
 * Which servers use the services of one directory: a record each, naming the process and what it
 * uses. Counting is only meaningful under the transition lock, which every caller holds.
 */
export class Membership {
  readonly #directory: string
  readonly #path: string

  constructor(directory: string) {
    this.#directory = directory
    this.#path = join(directory, `${PREFIX}${randomBytes(8).toString('hex')}`)
  }

  /** Counts this server among the users of these services. */
  enter(services: readonly ServiceName[]): void {
    createRecord(this.#path, `${formatIdentity(self())} ${services.join(',')}`)
  }

  /** No longer counts this server. */
  leave(): void {
    removeRecord(this.#path)
  }

  /** The services that some running server uses. Records of servers that were killed are dropped. */
  used(): Set<string> {
    const used = new Set<string>()
    for (const name of readdirSync(this.#directory)) {
      if (!name.startsWith(PREFIX)) continue
      const path = join(this.#directory, name)
      const [owner = '', services = ''] = readRecord(path)?.split(' ') ?? []
      const identity = parseIdentity(owner)
      if (!identity || !isRunning(identity)) removeRecord(path)
      else for (const service of services.split(',')) used.add(service)
    }
    return used
  }
}
