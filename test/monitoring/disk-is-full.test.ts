import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, onTestFinished, test } from 'vitest'
import type { ErrorBody } from '../../src/errors.js'
import { serve } from '../failures/serving.js'
import { type TestClient, ToolError } from '../support/app.js'
import { Cluster } from '../support/cluster.js'
import { serve as serveProcess } from '../support/fresh-machine.js'
import { expectCommandsToSay, expectRefused, expectUnusable, readiness } from '../support/health.js'
import { article } from '../support/news.js'
import { waitFor } from '../support/wait-for.js'

const redis = { REDIS_URL: `unix://${inject('redisPath')}` }
const FULL = /disk of PostgreSQL is full/
const FIX = /Free space/

/** The log lines of a served process beyond single calls. */
const told = (stderr: string) =>
  stderr
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line): { level: unknown; msg: string } => JSON.parse(line))
    .filter(({ level }) => level !== 'info')

/** As PostgreSQL itself says it, for whoever may not make a small disk. */
const REFUSE_SPACE = `
  create function refuse_space() returns trigger language plpgsql as
    $$ begin raise exception 'no space' using errcode = '53100'; end $$;
  create function refuse_tables() returns event_trigger language plpgsql as
    $$ begin raise exception 'no space' using errcode = '53100'; end $$;
  create trigger full_disk before insert on catalyst.news_articles for each statement execute function refuse_space();
  create trigger full_disk before insert on catalyst.event_outbox for each statement execute function refuse_space();
  create event trigger full_disk on ddl_command_start when tag in ('CREATE TABLE') execute function refuse_tables()`
const GIVE_SPACE = `
  drop event trigger full_disk;
  drop function refuse_space() cascade`

test('a write without space is told everywhere, in the log as an error, until there is space again', async () => {
  const cluster = await Cluster.start()
  const env = { DATABASE_URL: cluster.url, PORT: '0', ...redis }
  const { command, client } = await serveProcess(env)
  const url = /http:\S+\/mcp/.exec(command.stdout)?.[0] ?? ''
  const served = { url, connect: async () => client }
  await cluster.query(REFUSE_SPACE)
  await expectRefused(served, FULL)
  await expectUnusable(served, FULL, FIX)
  await expectRefused(served, FULL)
  await expectCommandsToSay(env, FULL, FIX, [['status'], ['doctor']])
  await cluster.query(GIVE_SPACE)
  await waitFor(async () => (await readiness(served)).ready)
  await client.tool('persist_news_catalyst', article())
  const events = await waitFor(async () => {
    const { events } = await client.resource('events?types=db.error')
    return events.length > 0 && events
  })
  expect(events).toMatchObject([
    { severity: 'critical', data: { code: 'disk_full', message: expect.stringMatching(FULL) } },
  ])
  await waitFor(() => told(command.stderr).length > 1)
  expect(told(command.stderr)).toMatchObject([
    { level: 'error', err: { message: expect.stringMatching(FULL) } },
    { level: 'warn', msg: 'the database works again' },
  ])
})

const mayMount = process.getuid?.() === 0 && spawnSync('mountpoint', ['/']).status === 0

test.runIf(mayMount)(
  'a disk that is really full is noticed, and that it is not any more',
  async () => {
    const cluster = await Cluster.start()
    const disk = smallDisk()
    await cluster.query(`create tablespace small location '${disk}'`)
    await cluster.query('alter database catalyst set tablespace small', [], 'postgres')
    const served = await serve(cluster.url)
    const client = await served.connect()
    await client.tool('persist_news_catalyst', article())
    const filling = join(disk, 'filling')
    fill(filling)
    const refused = await untilRefused(client)
    expect(refused).toMatchObject({ code: 'unavailable', retryable: true })
    expect(refused.message).toMatch(FULL)
    await expectUnusable(served, FULL, FIX)
    rmSync(filling)
    expect(await readiness(served)).toMatchObject({ status: 200, reason: null })
    await client.tool('persist_news_catalyst', article())
  },
)

test.runIf(mayMount)('a full disk is named where it lets nobody log in', async () => {
  const cluster = await Cluster.start()
  const disk = smallDisk()
  await cluster.query(`create tablespace small location '${disk}'`)
  await cluster.query('alter database catalyst set tablespace small', [], 'postgres')
  const served = await serve(cluster.url)
  const filling = join(disk, 'filling')
  fill(filling)
  // What every session begins with is a file: without it, the next one has to write it.
  for (const path of readdirSync(disk, { recursive: true, encoding: 'utf8' })) {
    if (path.endsWith('pg_internal.init')) rmSync(join(disk, path))
  }
  fill(join(disk, 'filling-too'))
  await expect(cluster.query('select 1')).rejects.toThrow(/init file|No space left/)
  await expectUnusable(served, FULL, FIX)
  const env = { DATABASE_URL: cluster.url, ...redis }
  await expectCommandsToSay(env, FULL, FIX, [['status'], ['doctor']])
  const later = await serve(cluster.url)
  await expectUnusable(later, FULL, FIX)
  await expectRefused(later, FULL)
  rmSync(filling)
  for (const one of [served, later]) {
    await waitFor(async () => (await readiness(one)).ready)
  }
})

/** What fits into pages that exist is stored; then the tables would have to grow. */
async function untilRefused(client: TestClient): Promise<ErrorBody> {
  for (;;) {
    try {
      await Promise.all(
        Array.from({ length: 20 }, () =>
          client.tool(
            'persist_news_catalyst',
            article({ snippet: randomBytes(900).toString('hex') }),
          ),
        ),
      )
    } catch (error) {
      if (error instanceof ToolError) return error.body
      throw error
    }
  }
}

/** A directory of 32 MB that ends with the test. */
function smallDisk(): string {
  const directory = mkdtempSync(join(tmpdir(), 'small-disk-'))
  const mounted = spawnSync('mount', [
    '-t',
    'tmpfs',
    '-o',
    'size=32m,mode=1777',
    'tmpfs',
    directory,
  ])
  if (mounted.status !== 0) throw new Error(String(mounted.stderr))
  onTestFinished(() => {
    spawnSync('umount', ['-l', directory])
    rmSync(directory, { recursive: true, force: true })
  })
  const tablespace = join(directory, 'tablespace')
  spawnSync('install', ['-d', '-m', '0777', tablespace])
  chmodSync(directory, 0o1777)
  return tablespace
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  const file = openSync(path, 'w')
  const piece = Buffer.alloc(4_096)
  try {
    for (;;) writeSync(file, piece)
  } catch (error) {
    if (Object(error).code !== 'ENOSPC') throw error
  } finally {
    closeSync(file)
  }
}
