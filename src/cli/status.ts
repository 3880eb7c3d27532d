import { lookAtStatus } from '../commands.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

type Status = Awaited<ReturnType<typeof lookAtStatus>>

/** Prints what `db/status` says, as seen from here, with every finding; starts, creates and changes nothing. */
export async function status(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const found = await lookAtStatus(readConfig(env))
  print(found, options, readable)
  return exitCodeOf(found)
}

/** One screen: the verdict, what runs where, what is wrong and what to do. */
function readable(found: Status): string {
  const { status, reasons, postgresql, redis, schema_version, last_backup, finding_list } = found
  const connections =
    postgresql.connections === null
      ? ''
      : `${postgresql.connections} of ${postgresql.max_connections} connections`
  const rows = [
    [
      'PostgreSQL',
      postgresql.status,
      `${postgresql.engine} ${postgresql.version ?? ''}`.trim(),
      connections,
    ],
    ['Cache', redis.status, redis.engine, ''],
    ['Schema', schema_version === null ? 'unknown' : `version ${schema_version}`, '', ''],
    ['Last backup', last_backup.at ?? 'none', '', last_backup.reason ?? ''],
  ]
  const why = reasons.map((reason) => `  - ${reason}\n`).join('')
  const told = finding_list.map(
    ({ severity, check, title, next_step }) =>
      `  ${severity} ${check}: ${title}\n    ${next_step}\n`,
  )
  const list = told.length > 0 ? `\nFindings:\n${told.join('')}` : ''
  return `${status}\n${why}\n${table(['PART', 'STATUS', 'ENGINE', 'DETAIL'], rows)}${list}`
}

function exitCodeOf({ status, postgresql }: Status): number {
  if (postgresql.reason !== null) return EXIT.unreachable
  return status === 'healthy' ? EXIT.ok : EXIT.findings
}
