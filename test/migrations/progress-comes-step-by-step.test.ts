import { expect, test } from 'vitest'
import { startApp } from '../support/app.js'
import { OperatorFolder } from './operator-folder.js'

const folder = new OperatorFolder()
/** The only server: of a job that another one runs, a caller hears the newest progress and no more. */
const { client } = await startApp({ env: folder.env })

test('progress comes file by file and statement by statement', async () => {
  folder.write('1000_a', 'create table public.a ();\ncreate table public.b ();', 'drop table a, b;')
  folder.write('1001_c', 'create table public.c ();', 'drop table public.c;')
  const seen: string[] = []
  await client.sdk.callTool(
    { name: 'run_migrations', arguments: {} },
    { onprogress: ({ progress, total, message }) => seen.push(`${progress}/${total} ${message}`) },
  )
  expect(seen).toHaveLength(3)
  expect(seen[0]).toMatch(/^1\/3 .*1000_a/)
  expect(seen[2]).toMatch(/^3\/3 .*1001_c/)
})
