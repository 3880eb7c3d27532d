import { z } from 'zod'
import { openApp } from '../app.js'
import { createLog } from '../platform/log.js'
import { EXIT } from './exit.js'
import { print } from './print.js'
import { type Env, readConfig } from './start.js'
import { table } from './table.js'

const Shown = z.object({
  status: z.string(),
  reasons: z.array(z.string()),
  postgresql: z.object({ status: z.string(), engine: z.string(), version: z.string().nullable() }),
  redis: z.object({ status: z.string(), engine: z.string() }),
  schema_version: z.number().nullable(),
})

/** Reads `db/status` as a client would and prints it. */
export async function status(env: Env, options: { readonly json?: boolean }): Promise<number> {
  const config = readConfig(env)
  const app = await openApp(config, createLog('silent'))
  const data = await readStatus(app.serving.dispatcher)
  const shown = Shown.parse(data)
  print(data, options, () => readable(shown))
  await app.close()
  return exitCodeOf(shown)
}

async function readStatus(
  dispatcher: Awaited<ReturnType<typeof openApp>>['serving']['dispatcher'],
) {
  const outcome = await dispatcher.readResource('db/status', {
    principal: 'local',
    owner: 'local',
    signal: new AbortController().signal,
    progress: () => {},
  })
  if (!outcome.ok) throw new Error(`${outcome.error.message} (${outcome.error.reference})`)
  return outcome.data
}

function readable({ status, reasons, postgresql, redis, schema_version }: z.output<typeof Shown>) {
  const rows = [
    ['PostgreSQL', postgresql.status, `${postgresql.engine} ${postgresql.version ?? ''}`.trim()],
    ['Cache', redis.status, redis.engine],
    ['Schema', schema_version === null ? 'unknown' : `version ${schema_version}`, ''],
  ]
  const why = reasons.map((reason) => `  - ${reason}\n`).join('')
  return `${status}\n${why}\n${table(['PART', 'STATUS', 'ENGINE'], rows)}`
}

function exitCodeOf({ status, postgresql }: z.output<typeof Shown>): number {
  if (postgresql.status === 'down') return EXIT.unreachable
  return status === 'healthy' ? EXIT.ok : EXIT.findings
}
