import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type ObjectInfo,
  ObjectMissing,
  type ObjectStore,
} from '../../src/platform/objects/store.js'
import { type Opened, PART_BYTES, STORES } from './stores.js'

const all = async (list: AsyncIterable<ObjectInfo>): Promise<string[]> => {
  const keys: string[] = []
  for await (const { key } of list) keys.push(key)
  return keys
}

const read = async (store: ObjectStore, key: string) => buffer(await store.get(key))

/** What a reader sees in pieces of an odd size. */
async function* pieces(content: Buffer) {
  for (let at = 0; at < content.length; at += 65_537) yield content.subarray(at, at + 65_537)
}

const streamOf = (content: Buffer) => Readable.from(pieces(content), { objectMode: false })

/** Everything that was begun and not ended. */
const unfinished = (store: ObjectStore) => store.abandonUploads(new Date(Date.now() + 60_000))

describe.each(STORES)('$kind', ({ open, isLocked }) => {
  let opened: Opened
  let store: ObjectStore

  beforeAll(async () => {
    opened = await open()
    store = opened.store
  })
  afterAll(() => opened.close())

  test.each([
    ['nothing', 0],
    ['a byte', 1],
    ['a little less than a part', PART_BYTES - 1],
    ['a part', PART_BYTES],
    ['a little more', PART_BYTES + 1],
    ['several parts', 3 * PART_BYTES + 77],
  ])('gives back %s', async (name, size) => {
    const content = randomBytes(size)
    const at = `given/${name.replaceAll(' ', '-')}`
    expect(await store.put(`${at}/whole`, content)).toEqual({ bytes: size })
    expect(await store.put(`${at}/stream`, streamOf(content))).toEqual({ bytes: size })
    for (const key of [`${at}/whole`, `${at}/stream`]) {
      expect((await read(store, key)).equals(content)).toBe(true)
      expect(await store.head(key)).toMatchObject({ key, bytes: size })
    }
    expect(await unfinished(store)).toBe(0)
  })

  test('lists by prefix, in the order of the keys, from where it is told', async () => {
    const keys = [
      'a-b',
      'a.b',
      'a/b-c',
      'a/b.c',
      'a/b/c',
      'a/b/d/e',
      'a0',
      'a_',
      'aa/x',
      'b/a',
    ].map((key) => `list/${key}`)
    for (const key of [...keys].reverse()) await store.put(key, Buffer.from(key))
    const sorted = [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(await all(store.list('list/'))).toEqual(sorted)
    for (const prefix of ['list/a', 'list/a/', 'list/a/b', 'list/aa/x', 'list/no', 'li']) {
      expect(await all(store.list(prefix))).toEqual(sorted.filter((key) => key.startsWith(prefix)))
    }
    for (const after of [...sorted, 'list/a/b/', 'list/zz', 'a']) {
      expect(await all(store.list('list/', { after }))).toEqual(sorted.filter((key) => key > after))
    }
  })

  test('lists more than the server tells at a time', async () => {
    const keys = Array.from({ length: 45 }, (_, i) => `many/${String(i).padStart(3, '0')}`)
    await Promise.all(keys.map((key) => store.put(key, Buffer.from(key))))
    expect(await all(store.list('many/'))).toEqual(keys)
  })

  test('takes the same content for a key twice and never another', async () => {
    const content = randomBytes(1_000)
    await store.put('kept/small', content)
    await store.put('kept/small', content)
    await store.put('kept/small', streamOf(content))
    const other = store.put('kept/small', randomBytes(1_000))
    await expect(other).rejects.toMatchObject({ code: 'conflict' })
    expect((await read(store, 'kept/small')).equals(content)).toBe(true)

    const large = randomBytes(2 * PART_BYTES + 1)
    await store.put('kept/large', streamOf(large))
    await store.put('kept/large', streamOf(large))
    const longer = store.put('kept/large', streamOf(Buffer.concat([large, Buffer.from('x')])))
    await expect(longer).rejects.toMatchObject({ code: 'conflict' })
    expect((await read(store, 'kept/large')).equals(large)).toBe(true)
    expect(await unfinished(store)).toBe(0)
  })

  test('says of what is not there that it is not', async () => {
    await store.put('there/x', Buffer.from('x'))
    for (const key of ['nowhere', 'there', 'there/y', 'there/x/y', 'there/x/y/z']) {
      await expect(store.get(key)).rejects.toThrow(ObjectMissing)
      expect(await store.head(key)).toBe(null)
      expect(await store.remove(key)).toBe('missing')
    }
  })

  test('removes what it may', async () => {
    await store.put('removed/x', Buffer.from('x'))
    await store.put('removed/y', Buffer.from('y'))
    expect(await store.remove('removed/x')).toBe(isLocked ? 'retained' : 'removed')
    expect(await all(store.list('removed/'))).toEqual(
      isLocked ? ['removed/x', 'removed/y'] : ['removed/y'],
    )
  })

  test.each([
    ['at once', 0],
    ['after some of it', 1_000_000],
    ['after some parts', 2 * PART_BYTES + 5],
  ])('stores nothing of a body that fails %s', async (name, size) => {
    const key = `failed/${name.replaceAll(' ', '-')}`
    async function* failing() {
      yield* pieces(randomBytes(size))
      throw new Error('the source is gone')
    }
    const body = Readable.from(failing(), { objectMode: false })
    await expect(store.put(key, body)).rejects.toThrow(/source is gone|cannot be used/)
    expect(await store.head(key)).toBe(null)
    expect(await unfinished(store)).toBe(0)
  })

  test('stores nothing of what is cancelled, and lets the source go', async () => {
    const cancel = new AbortController()
    let hasEnded = false
    async function* endless() {
      try {
        for (let i = 0; ; i += 1) {
          if (i === 12) cancel.abort()
          yield randomBytes(1024 * 1024)
        }
      } finally {
        hasEnded = true
      }
    }
    const body = Readable.from(endless(), { objectMode: false })
    const put = store.put('cancelled/x', body, { signal: cancel.signal })
    await expect(put).rejects.toMatchObject({ code: 'cancelled' })
    body.destroy()
    await expect.poll(() => hasEnded).toBe(true)
    expect(await store.head('cancelled/x')).toBe(null)
    expect(await unfinished(store)).toBe(0)
  })

  test('goes on after a reader that stops in the middle', async () => {
    const content = randomBytes(3_000_000)
    await store.put('half/x', content)
    for await (const chunk of await store.get('half/x')) {
      expect(chunk.length).toBeGreaterThan(0)
      break
    }
    expect((await read(store, 'half/x')).equals(content)).toBe(true)
  })

  test.each([
    '',
    '/',
    'a//b',
    '../x',
    'a/../b',
    'a/.b',
    './a',
    'a/',
    'a b',
    'a\\b',
    'ä',
    'a\n',
    'a?b',
    'x'.repeat(600),
  ])('refuses %j as a key', async (key) => {
    await expect(store.put(key, Buffer.from('x'))).rejects.toThrow('not a key')
    await expect(store.get(key)).rejects.toThrow('not a key')
    await expect(store.remove(key)).rejects.toThrow('not a key')
  })

  test('can be looked at', async () => {
    await store.check()
    expect(store.locationOf('a/b')).toBe(`${store.location}/a/b`)
  })
})
