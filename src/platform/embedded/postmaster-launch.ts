import { spawn } from 'node:child_process'
import type { PostgresBinaries } from './binaries.js'
import type { Home } from './home.js'
import type { LogFile } from './log-file.js'
import { commandFor, type Runner } from './privileges.js'

/** Only part of the socket's name: nothing listens on TCP. */
export const PORT = 5432

/** One attempt to start a postmaster. */
export class Launch {
  readonly pid: number | undefined
  readonly #log: LogFile
  readonly #logOffset: number
  #failure: string | null = null

  /** Detached, so that Ctrl-C at the terminal reaches this process only. */
  constructor(binaries: PostgresBinaries, runner: Runner, home: Home, log: LogFile) {
    log.rotate()
    this.#log = log
    this.#logOffset = log.size()
    const { file, args } = commandFor(runner, binaries.postgres, postmasterArguments(home))
    const child = log.withDescriptor((output) =>
      spawn(file, args, {
        ...runner.identity,
        cwd: home.root,
        env: { ...binaries.env },
        stdio: ['ignore', output, output],
        detached: true,
      }),
    )
    child.unref()
    child.on('error', (error) => {
      this.#failure = error.message
    })
    child.on('exit', (status, signal) => {
      this.#failure = `exit ${status ?? signal}`
    })
    this.pid = child.pid
  }

  /** The attempt is over. */
  get hasFailed(): boolean {
    return this.#failure !== null
  }

  /** It gave way to another postmaster or to backends of the last one, which may soon be gone. */
  metAnother(): boolean {
    return /lock file ".*" (already exists|is empty)|is still in use/.test(this.#output())
  }

  /** Why it failed, in PostgreSQL's words where it had some. */
  reason(): string {
    return this.#output().match(/FATAL: {2}(.*)/)?.[1] ?? this.#failure ?? 'no reason known'
  }

  #output(): string {
    return this.#log.tail(this.#logOffset)
  }
}

/** What the product depends on; everything else is postgresql.conf's, which the operator owns. */
function postmasterArguments({ cluster, sockets }: Home): string[] {
  const settings = {
    listen_addresses: '',
    unix_socket_permissions: '0700',
    shared_preload_libraries: 'pg_stat_statements',
    wal_level: 'logical',
    fsync: 'on',
    full_page_writes: 'on',
    logging_collector: 'off',
  }
  return [
    ...['-D', cluster, '-k', sockets, '-p', String(PORT)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
  ]
}
