import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
folder.write('1000_first', 'create table first (id bigint)')
const { client } = await startApp({ env: folder.env })
const path = (name: string): string => join(folder.path, name)

async function listening(at: string): Promise<void> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(at, resolve))
  server.unref()
}

const MAKERS: Readonly<Record<string, (at: string) => unknown>> = {
  'is a device, a socket or a pipe': (at) => execFileSync('mkfifo', [at]),
  'is a folder': (at) => mkdirSync(at),
  'is a link to nothing': (at) => symlinkSync('/nowhere/at/all', at),
  'is a link that leaves the folder': (at) => symlinkSync('/etc/hostname', at),
  'is larger than 5242880 bytes': (at) => writeFileSync(at, ' '.repeat(5_242_881)),
  'is not UTF-8': (at) => writeFileSync(at, Buffer.from([0x73, 0xff])),
}

/** What stands in the way, by the status and by a run. */
async function told(file: string, fault: string): Promise<void> {
  const { problems } = await client.resource('db/migrations/status')
  expect(problems).toMatchObject([
    {
      version: 1001,
      problem: 'unusable_file',
      message: `${file} ${fault}.`,
      next_step: expect.stringContaining('plain files'),
    },
  ])
  expect(await client.refused('run_migrations', {})).toMatchObject({
    code: 'precondition_failed',
    message: `${file} ${fault}.`,
  })
}

test.each(Object.entries(MAKERS))('what %s is refused by name', async (fault, make) => {
  const file = '1001_odd.up.sql'
  make(path(file))
  await told(file, fault)
  rmSync(path(file), { recursive: true })
})

test('a socket is not waited for, and neither is a device', async () => {
  const file = '1001_odd.up.sql'
  await listening(path(file))
  await told(file, 'is a device, a socket or a pipe')
  rmSync(path(file))
  symlinkSync('/dev/zero', path(file))
  await told(file, 'is a link that leaves the folder')
  rmSync(path(file))
})

test('a link to a file of the folder is read', async () => {
  mkdirSync(path('..data'))
  writeFileSync(path('..data/second'), 'create table second (id bigint)')
  symlinkSync('..data/second', path('1001_second.up.sql'))
  const { migrations_applied } = await client.tool('run_migrations', {})
  expect(migrations_applied.map(({ version }: { version: number }) => version)).toEqual([
    1000, 1001,
  ])
})
