import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../errors.js'
import { childEnvironment, findOnPath } from './binaries.js'
import { createRecord, readRecord, removeRecord } from './files.js'
import type { Home } from './home.js'
import { LogFile } from './log-file.js'
import {
  formatIdentity,
  hasEnded,
  identify,
  isRunning,
  type ProcessIdentity,
  parseIdentity,
  programName,
  signal,
} from './process-identity.js'

const POLL_MS = 10
/** Its start takes some 30 ms; one that is silent for so long hangs. */
const SILENT_MS = 3_000
const ANSWER_MS = 1_000
const STOP_MS = 2_000
const PROGRAMS = ['valkey-server', 'redis-server']

/** A Redis or Valkey that answers. */
export interface RunningRedis {
  readonly process: ProcessIdentity
  /** Its unix socket. */
  readonly path: string
  /** Name and version. */
  readonly program: string
  readonly adopted: boolean
}

interface Answer {
  readonly process: ProcessIdentity
  readonly program: string
}

/**
 * The embedded cache of one data directory. It holds nothing that cannot be computed again, so it
 * writes nothing to disk and may be killed. Called under the transition lock, as for PostgreSQL.
 */
export class RedisProcess {
  readonly log: LogFile
  readonly #path: string
  readonly #record: string
  readonly #directory: string

  constructor(home: Home) {
    this.#path = join(home.sockets, 'redis.sock')
    this.#record = join(home.run, 'redis')
    this.#directory = home.run
    this.log = new LogFile(join(home.root, 'redis.log'))
  }

  /**
   * Adopts the server that answers on the socket or starts one; null when none runs and PATH has
   * none. The record tells a server that has not yet bound its socket from one that is gone: a
   * second server would take the socket's name over and leave the first running unseen. One that
   * hangs is ended, and replaced unless it was our own attempt.
   */
  async ensure(abort?: AbortSignal): Promise<RunningRedis | null> {
    let launched: number | undefined
    let giveUpAt = Date.now() + SILENT_MS
    for (;;) {
      const answer = await ask(this.#path)
      if (answer) return this.#describe(answer, launched)
      abort?.throwIfAborted()
      const recorded = this.#recorded()
      if (!recorded && launched !== undefined) throw this.#didNotStart()
      if (!recorded) {
        launched = this.#launch()
        if (launched === undefined) return null
        giveUpAt = Date.now() + SILENT_MS
      } else if (Date.now() > giveUpAt) {
        await end(recorded)
      }
      await sleep(POLL_MS)
    }
  }

  /** The socket of a server that answers; starts nothing. */
  async find(): Promise<string | null> {
    return (await ask(this.#path)) ? this.#path : null
  }

  /** Ends the server; a cache has nothing to lose. */
  async stop(): Promise<void> {
    const recorded = this.#recorded()
    if (recorded) await end(recorded)
    removeRecord(this.#record)
  }

  #describe({ process, program }: Answer, launched: number | undefined): RunningRedis {
    if (readRecord(this.#record) !== formatIdentity(process)) this.#remember(process)
    return { process, program, path: this.#path, adopted: process.pid !== launched }
  }

  #recorded(): ProcessIdentity | null {
    const identity = parseIdentity(readRecord(this.#record) ?? '')
    return identity && isRunning(identity) ? identity : null
  }

  #remember(process: ProcessIdentity): void {
    removeRecord(this.#record)
    createRecord(this.#record, formatIdentity(process))
  }

  #launch(): number | undefined {
    const program = findOnPath(PROGRAMS)
    if (!program) return undefined
    this.log.rotate()
    const child = this.log.withDescriptor((output) =>
      spawn(program, this.#arguments(), {
        cwd: this.#directory,
        env: childEnvironment(),
        stdio: ['ignore', output, output],
        detached: true,
      }),
    )
    child.on('error', () => {})
    child.unref()
    const identity = child.pid === undefined ? null : identify(child.pid)
    if (identity) this.#remember(identity)
    return child.pid ?? -1
  }

  #arguments(): string[] {
    return [
      ...['--port', '0', '--unixsocket', this.#path, '--unixsocketperm', '700'],
      ...['--save', '', '--appendonly', 'no'],
      ...['--maxmemory', '256mb', '--maxmemory-policy', 'allkeys-lfu'],
    ]
  }

  #didNotStart() {
    return new AppError('unavailable', 'The embedded Redis did not start.', {
      hint: `Read ${this.log.path}, or set REDIS_URL.`,
    })
  }
}

async function end(process: ProcessIdentity): Promise<void> {
  signal(process.pid, 'SIGTERM')
  if (await hasEnded(process, STOP_MS)) return
  signal(process.pid, 'SIGKILL')
  await hasEnded(process, STOP_MS)
}

/** What answers on the socket says about itself; null when nothing does or its process is not to be seen. */
async function ask(path: string): Promise<Answer | null> {
  const info = await serverInfo(path)
  const pid = Number(/^process_id:(\d+)/m.exec(info)?.[1])
  const version = /^valkey_version:(\S+)/m.exec(info) ?? /^redis_version:(\S+)/m.exec(info)
  if (!pid || !version) return null
  const process = identify(pid)
  const name = basename(programName(pid))
  // In another container's numbering the pid would name a stranger here, whom a stop would end.
  if (!process || !PROGRAMS.includes(name)) return null
  return { process, program: `${name} ${version[1]}` }
}

function serverInfo(path: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ''
    const socket = connect(path, () => socket.write('INFO server\r\n'))
    socket.setTimeout(ANSWER_MS, () => socket.destroy())
    socket.on('error', () => {})
    socket.on('close', () => resolve(received))
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      // The reply is one bulk string: `$<length>\r\n<text>\r\n`.
      const [header, length] = /^\$(\d+)\r\n/.exec(received) ?? []
      if (header && received.length >= header.length + Number(length)) socket.destroy()
    })
  })
}
