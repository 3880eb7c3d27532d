import { lookAtStatus } from '../commands.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

type Status = Awaited<ReturnType<typeof lookAtStatus>>

/** Prints what `db/status` says, as seen from here; starts, creates and changes nothing. */
export async function status(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const found = await lookAtStatus(readConfig(env))
  print(found, options, readable)
  return exitCodeOf(found)
}

function readable({ status, reasons, postgresql, redis, schema_version }: Status): string {
  const rows = [
    ['PostgreSQL', postgresql.status, `${postgresql.engine} ${postgresql.version ?? ''}`.trim()],
    ['Cache', redis.status, redis.engine],
    ['Schema', schema_version === null ? 'unknown' : `version ${schema_version}`, ''],
  ]
  const why = reasons.map((reason) => `  - ${reason}\n`).join('')
  return `${status}\n${why}\n${table(['PART', 'STATUS', 'ENGINE'], rows)}`
}

function exitCodeOf({ status, postgresql }: Status): number {
  if (postgresql.reason !== null) return EXIT.unreachable
  return status === 'healthy' ? EXIT.ok : EXIT.findings
}
