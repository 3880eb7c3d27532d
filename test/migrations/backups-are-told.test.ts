import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { MigrationService } from '../../src/domains/migrations/service.js'
import { parseDatabaseUrl } from '../../src/platform/postgres/connection.js'
import { Cluster } from '../support/cluster.js'
import { BUILT_IN, BUILT_IN_VERSION, run } from './operator.js'

const SLOT = `select pg_create_logical_replication_slot('watch', 'test_decoding')`
const CHANGES = `select xid::text, data from pg_logical_slot_get_changes('watch', null, null)`
/** A message as test_decoding shows it: whether transactional, its prefix and content. */
const MESSAGE = /^message: transactional: (\d) prefix: cdb\.ddl, sz: \d+ content:(.*)$/s

interface Change {
  readonly xid: string
  readonly data: string
}

const marksIn = (changes: readonly Change[]) =>
  changes.flatMap(({ xid, data }) => {
    const [, transactional, content] = MESSAGE.exec(data) ?? []
    return content ? [{ xid, transactional, ...JSON.parse(content) }] : []
  })

async function folder(files: Record<string, string>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'catalyst-marks-'))
  onTestFinished(() => rm(directory, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
  return directory
}

test('where the log is decoded, each schema change is marked in its own transaction; rows are not', async () => {
  const cluster = await Cluster.start()
  await cluster.stop('fast')
  cluster.configure({ wal_level: 'logical' })
  await cluster.start()
  await cluster.query(SLOT)
  const operatorDir = await folder({
    '1000_venue.up.sql': `create table venue (id int);
      insert into venue values (1);
      select id into lot from venue;
      select pg_logical_emit_message(true, 'cdb.ddl', '{"version": 1000, "sql": "drop table venue"}');
      set work_mem = '8MB'`,
    '1000_venue.down.sql': 'drop table venue; drop table lot',
    '1001_index.up.sql': 'create index concurrently venue_id on venue (id)',
    '1001_index.down.sql': 'drop index concurrently venue_id',
  })
  const service = new MigrationService({
    endpoint: parseDatabaseUrl(cluster.url),
    builtInDir: BUILT_IN,
    operatorDir,
    appVersion: 'test',
  })
  await service.dryRun(run())
  await service.up(run())
  const changes = await cluster.query<Change & Record<string, string>>(CHANGES)
  const all = marksIn(changes)
  const [known] = await cluster.query<{ proofs: string[] }>(
    'select array_agg(distinct marks_sha256) as proofs from catalyst.schema_migrations where version >= 1000',
  )
  const isOurs = ({ proof }: { proof?: string }) =>
    known?.proofs.includes(
      createHash('sha256')
        .update(proof ?? '')
        .digest('hex'),
    )
  const marks = all.filter(isOurs)
  // A script can write into the log as well, but has no proof.
  expect(all.filter((mark) => !isOurs(mark))).toMatchObject([{ sql: 'drop table venue' }])
  const file = '1000_venue.up.sql'
  expect(marks).toMatchObject([
    { version: 1000, file, statement: 1, kind: 'CreateStmt', sql: 'create table venue (id int)' },
    { version: 1000, file, statement: 3, kind: 'SelectStmt' },
    { version: 1001, file: '1001_index.up.sql', statement: 1, kind: 'IndexStmt' },
  ])
  expect(marks.every(({ transactional }) => transactional === '1')).toBe(true)
  // The rows of a file share the transaction of its marks.
  const together = changes.filter(({ xid }) => xid === marks[0]?.xid).map(({ data }) => data)
  expect(together.some((data) => data.startsWith('table public.venue: INSERT'))).toBe(true)

  const target = { target: BUILT_IN_VERSION, includeBuiltIn: false }
  const { digest } = await service.measured({ direction: 'down', ...target }, run())
  await service.rollback({ ...run({ confirmedPlan: digest }), ...target })
  const undone = marksIn(await cluster.query<Change & Record<string, string>>(CHANGES))
  expect(undone.map(({ sql }) => sql)).toEqual([
    'drop index concurrently venue_id',
    'drop table venue',
    'drop table lot',
  ])
})
