import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { findPostgres } from '../../dist/platform/embedded/binaries.js'
import { ensureCluster } from '../../dist/platform/embedded/cluster.js'
import { clusterOwner, grantHome, prepareHome } from '../../dist/platform/embedded/home.js'
import { chooseRunner, commandFor } from '../../dist/platform/embedded/privileges.js'

const READY_MS = 20_000

/** The embedded PostgreSQL listens on a socket only; this one is for programs that want TCP. */
export class TcpPostgres {
  #child

  constructor(child, port) {
    this.#child = child
    this.port = port
    this.url = `postgresql://postgres@127.0.0.1:${port}/postgres?sslmode=disable`
  }

  static async start(dataDir) {
    const home = prepareHome(dataDir)
    const binaries = findPostgres(home.libraries)
    const runner = chooseRunner(binaries, clusterOwner(home))
    grantHome(home, runner.owner)
    await ensureCluster(home.cluster, binaries, runner)
    const port = await freePort()
    const options = ['-D', home.cluster, '-k', home.sockets, '-p', String(port)]
    const { file, args } = commandFor(runner, binaries.postgres, [
      ...options,
      ...['-c', 'listen_addresses=127.0.0.1'],
    ])
    const child = spawn(file, args, {
      ...runner.identity,
      cwd: home.root,
      env: { ...binaries.env },
      stdio: 'ignore',
    })
    const server = new TcpPostgres(child, port)
    await server.#ready()
    return server
  }

  async stop() {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGINT')
    await ended
  }

  async #ready() {
    const deadline = Date.now() + READY_MS
    for (;;) {
      const client = new pg.Client({ connectionString: this.url })
      client.on('error', () => {})
      try {
        await client.connect()
        return await client.end()
      } catch (error) {
        await client.end().catch(() => {})
        if (Date.now() > deadline || this.#child.exitCode !== null) throw error
        await delay(50)
      }
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
