import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { startServices } from './postgres.mjs'
import { Scope } from './scope.mjs'
import { HttpServer, startStdio } from './server.mjs'

/** What every goal is measured with; what a goal starts is stopped when the goal is done. */
export class Bench {
  #run = new Scope()
  #goal = new Scope()
  #services = null
  #profileDir

  constructor({ quick, profileDir }) {
    this.quick = quick
    this.#profileDir = profileDir
    this.directory = this.#run.keep(mkdtempSync(join(tmpdir(), 'catalyst-db-bench-')), () =>
      rmSync(this.directory, { recursive: true, force: true }),
    )
    if (profileDir) mkdirSync(profileDir, { recursive: true })
  }

  /** A count, or the smaller one of a quick run. */
  size(full, quick) {
    return this.quick ? quick : full
  }

  /** Something that the goal uses and how it is stopped. */
  keep(thing, stop) {
    return this.#goal.keep(thing, stop)
  }

  /** A migrated database without news. */
  async database() {
    this.#services ??= startServices(join(this.directory, 'services'))
    const services = await this.#services
    const database = await services.createDatabase()
    return this.keep(database, () => database.close())
  }

  /** The product over HTTP on a database. */
  async serve(database, env = {}) {
    const server = new HttpServer({ ...database.env, ...env }, this.profiled('http'))
    this.keep(server, () => server.stop())
    return server.ready()
  }

  /** The product on pipes on a database, greeted. */
  async stdio(database, options = {}) {
    const server = startStdio(database.env, { nodeOptions: this.profiled('stdio'), ...options })
    this.keep(server, () => server.close())
    await server.initialize()
    return server
  }

  /** Node's options for a server whose CPU is to be profiled. */
  profiled(name) {
    if (!this.#profileDir) return []
    return ['--cpu-prof', '--cpu-prof-dir', join(this.#profileDir, `${this.goal}-${name}`)]
  }

  /** Runs one goal; stops what it started. */
  async measure({ number, name, run }) {
    this.goal = `${number}-${name}`
    try {
      const before = load()
      return { number, name, figures: await run(this), load: { before, after: load() } }
    } finally {
      await this.#goal.close()
    }
  }

  /** Stops everything. */
  async close() {
    await this.#goal.close()
    if (this.#services) await this.#services.then((services) => services.release())
    await this.#run.close()
  }
}

/** The load average of the last minute. */
const load = () => Math.round((loadavg()[0] ?? 0) * 10) / 10
