import { createServer } from 'node:net'
import { Command } from './cli.js'
import { waitFor } from './wait-for.js'

/** The built program serving HTTP in a process of its own, which can be killed and started again. */
export class ServedProcess {
  readonly url: string
  readonly #env: Record<string, string>
  #command: Command | null = null

  private constructor(url: string, env: Record<string, string>) {
    this.url = url
    this.#env = env
  }

  /** Starts on a free port, which it keeps over restarts. */
  static async start(env: Record<string, string>): Promise<ServedProcess> {
    const port = await freePort()
    const served = new ServedProcess(`http://127.0.0.1:${port}/mcp`, { ...env, PORT: String(port) })
    await served.start()
    return served
  }

  /** What it has written to its log. */
  get stderr(): string {
    return this.#command?.stderr ?? ''
  }

  get pid(): number {
    return this.#command?.pid ?? 0
  }

  async start(): Promise<void> {
    const command = new Command(['serve'], this.#env)
    this.#command = command
    await waitFor(() => command.stdout.includes(this.url), {
      what: `a start line: ${command.stderr}`,
    })
  }

  /** Ends the process at once, as a crash would. */
  async kill(): Promise<void> {
    this.#command?.kill('SIGKILL')
    await this.#command?.ended
  }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
