import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { systemClock } from '../../src/lib/clock.js'
import { startApp } from '../support/app.js'
import { isThere, OperatorFolder } from './operator-folder.js'

/** An ordinary Wednesday: open from 09:30 to 16:00 in New York. */
const OPEN = new Date('2026-11-18T15:00:00Z')
const CLOSED = new Date('2026-11-18T22:30:00Z')
const at = (instant: Date) => vi.spyOn(systemClock, 'now').mockReturnValue(instant)

const parent = mkdtempSync(join(tmpdir(), 'catalyst-policies-'))
afterAll(() => rmSync(parent, { recursive: true }))

/** The product under a policy, with a table that a pending migration drops. */
async function startUnder(destructive: string) {
  const file = join(parent, `${destructive}.toml`)
  writeFileSync(file, `[migrations]\ndestructive = "${destructive}"\n`)
  const folder = new OperatorFolder()
  const app = await startApp({ env: { ...folder.env, CATALYST_POLICY_FILE: file } })
  folder.write(
    '1000_add_tags',
    'create table public.tags (id int); insert into public.tags values (1);',
    'drop table public.tags;',
  )
  await app.client.tool('run_migrations')
  folder.write('1001_drop_tags', 'drop table public.tags;', 'create table public.tags (id int);')
  const { migrations } = await app.client.resource('db/migrations/history')
  const builtIn = Math.max(
    ...migrations
      .map(({ version }: { version: number }) => version)
      .filter((v: number) => v < 1_000),
  )
  const tagsThere = () => isThere(app.database, 'public.tags')
  return { ...app, folder, builtIn, tagsThere }
}

describe('confirm', async () => {
  const { client, connect, database, folder, tagsThere } = await startUnder('confirm')
  const ask = (args: object = {}) => client.refused('run_migrations', { ...args })

  test.each([
    [OPEN, 'The market is open until 2026-11-18T21:00:00Z.'],
    [CLOSED, 'The market is closed and opens at 2026-11-19T14:30:00Z.'],
  ])('the question says what is lost, and what the market does at %o', async (now, market) => {
    at(now)
    const asked = await ask()
    expect(asked).toMatchObject({
      code: 'confirmation_required',
      message: `Apply 1 migration (1001_drop_tags) up to version 1001? table public.tags is dropped, with 1 row. ${market}`,
      plan: {
        new_version: 1_001,
        migrations: [{ version: 1_001, name: 'drop_tags', statements: 1 }],
        losses: [{ version: 1_001, message: 'table public.tags is dropped, with 1 row.' }],
        findings: [],
        digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      },
    })
    expect(await tagsThere()).toBe(true)
  })

  test('a token is good for nothing but its own call', async () => {
    const { confirm_token } = await ask()
    for (const args of [
      { confirm_token: 'forged' },
      { confirm_token, target_version: 1_001 },
      { confirm_token, idempotency_key: 'k', target_version: 1_001 },
    ]) {
      expect(await ask(args)).toMatchObject({ code: 'invalid_input' })
    }
    await database.query(`update catalyst.confirmations set principal = 'somebody else'`)
    expect(await ask({ confirm_token })).toMatchObject({ code: 'invalid_input' })
    expect(await tagsThere()).toBe(true)
  })

  test('a file that changes after the question needs another one', async () => {
    const { confirm_token } = await ask()
    folder.write('1002_more', 'create table public.more ();', 'drop table public.more;')
    expect(await ask({ confirm_token })).toMatchObject({
      code: 'confirmation_required',
      plan: { migrations: [{ version: 1_001 }, { version: 1_002 }] },
    })
    expect(await tagsThere()).toBe(true)
  })

  test('a dry run asks nothing, loses nothing, and tells what a run would lose', async () => {
    const { migrations_applied } = await client.tool('run_migrations', { dry_run: true })
    expect(migrations_applied.map(({ losses }: { losses: string[] }) => losses)).toEqual([
      ['table public.tags is dropped, with 1 row.'],
      [],
    ])
    expect(await tagsThere()).toBe(true)
  })

  test('with its token the call is made, once', async () => {
    const { confirm_token } = await ask()
    const ran = await client.tool('run_migrations', { confirm_token })
    expect(ran.new_version).toBe(1_002)
    expect(await tagsThere()).toBe(false)
  })

  test('a token that was used is good for nothing, though the same would run again', async () => {
    const back = { target_version: 1_000 }
    const asked = await client.refused('rollback_migration', back)
    await client.tool('rollback_migration', { ...back, confirm_token: asked.confirm_token })
    expect(await tagsThere()).toBe(true)
    const first = await ask()
    await client.tool('run_migrations', { confirm_token: first.confirm_token })
    const again = await client.refused('rollback_migration', back)
    await client.tool('rollback_migration', { ...back, confirm_token: again.confirm_token })
    expect(await ask({ confirm_token: first.confirm_token })).toMatchObject({
      code: 'invalid_input',
    })
    expect(await tagsThere()).toBe(true)
  })

  test.each(['modern', 'legacy'] as const)(
    'a %s host that can ask its user asks, and a yes is enough',
    async (era) => {
      const asked: string[] = []
      const asking = await connect(era, (message) => {
        asked.push(message)
        return { action: 'accept', content: { confirm: true } }
      })
      await asking.tool('run_migrations')
      expect(await tagsThere()).toBe(false)
      await asking.tool('rollback_migration', { target_version: 1_000 })
      expect(await tagsThere()).toBe(true)
      expect(asked).toEqual([
        expect.stringMatching(/^Apply 2 migrations .*public\.tags is dropped.*The market is/s),
        expect.stringMatching(/^Undo 2 migrations .*public\.more is dropped.*The market is/s),
      ])
    },
  )
})

describe('refuse_when_open', async () => {
  const { client, builtIn, tagsThere } = await startUnder('refuse_when_open')
  const refusal = {
    code: 'permission_denied',
    message:
      'The policy refuses rollbacks and migrations that lose data or make others wait while the market is open, until 2026-11-18T21:00:00Z.',
    hint: 'Try again after 2026-11-18T21:00:00Z; the policy is migrations.destructive in CATALYST_POLICY_FILE.',
  }

  test('while the market is open it says until when', async () => {
    at(OPEN)
    expect(await client.refused('run_migrations')).toMatchObject(refusal)
    expect(await client.refused('run_migrations', { dry_run: true })).toMatchObject(refusal)
    expect(await client.refused('rollback_migration', { target_version: builtIn })).toMatchObject(
      refusal,
    )
    expect(await tagsThere()).toBe(true)
  })

  test('what was confirmed before the market opened is refused once it is open', async () => {
    at(CLOSED)
    const { confirm_token } = await client.refused('run_migrations')
    at(OPEN)
    expect(await client.refused('run_migrations', { confirm_token })).toMatchObject(refusal)
    expect(await tagsThere()).toBe(true)
  })

  test('when it is closed it is done once confirmed', async () => {
    at(CLOSED)
    const { confirm_token } = await client.refused('run_migrations')
    await client.tool('run_migrations', { confirm_token })
    expect(await tagsThere()).toBe(false)
  })
})

describe('refuse', async () => {
  const { client, builtIn, tagsThere, folder } = await startUnder('refuse')

  test('nothing that loses data is done, whatever the market does', async () => {
    for (const now of [OPEN, CLOSED]) {
      at(now)
      for (const [tool, args] of [
        ['run_migrations', {}],
        ['rollback_migration', { target_version: builtIn }],
      ] as const) {
        expect(await client.refused(tool, args)).toMatchObject({
          code: 'permission_denied',
          message:
            'The policy refuses rollbacks and migrations that lose data or make others wait.',
          hint: 'Ask who runs the server; the policy is migrations.destructive in CATALYST_POLICY_FILE.',
        })
      }
    }
    expect(await tagsThere()).toBe(true)
  })

  test('a dry run and what loses nothing go on', async () => {
    await client.tool('run_migrations', { dry_run: true })
    folder.write('1001_drop_tags', 'create table public.more (id int);')
    expect((await client.tool('run_migrations')).new_version).toBe(1_001)
  })
})
