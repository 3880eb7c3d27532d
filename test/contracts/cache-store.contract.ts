import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type CacheStore,
  type KeyPage,
  MAX_TTL_SECONDS,
  MAX_VALUE_BYTES,
} from '../../src/platform/cache/cache-store.js'
import { MINUTE } from '../cache/lifetime.js'

/** What the suite needs of an engine. */
export interface CacheEngineUnderTest {
  /** An empty engine whose counters are at zero. */
  reset(): Promise<void>
  /** A store of this engine; closed by the suite. */
  open(namespace: string): CacheStore
}

/** fast-check's own `unit: 'binary'` takes a second to build, in which no connection is served. */
const codePoint = fc
  .nat({ max: 0x10f7ff })
  .map((point) => String.fromCodePoint(point < 0xd800 ? point : point + 0x800))
const wellFormed = () => fc.string({ unit: fc.oneof(codePoint, fc.constantFrom('\0', '\r', '\n')) })
const PREFIXES = ['pattern:', 'news:']

const allOf = (store: CacheStore) => store.keys({ pattern: '*', after: null, limit: 1_000 })

const fill = async (store: CacheStore, keys: readonly string[]) => {
  await Promise.all(keys.map((key) => store.set(key, `value of ${key}`, MINUTE)))
}

/** Every page in turn; `between` runs after each. */
async function pagesOf(
  store: CacheStore,
  pattern: string,
  limit: number,
  between: (page: number) => Promise<unknown> = async () => undefined,
): Promise<KeyPage[]> {
  const pages: KeyPage[] = []
  let after: string | null = null
  do {
    const page: KeyPage = await store.keys({ pattern, after, limit })
    pages.push(page)
    after = page.next
    await between(pages.length)
  } while (after !== null)
  return pages
}

/** What every cache engine promises, whatever it is made of. */
export function cacheStoreContract(name: string, engine: CacheEngineUnderTest): void {
  const opened: CacheStore[] = []
  const open = (namespace = 'test') => {
    const store = engine.open(namespace)
    opened.push(store)
    return store
  }

  describe(`${name} as a cache store`, () => {
    let store: CacheStore

    beforeEach(async () => {
      await engine.reset()
      store = open()
    })

    afterEach(async () => {
      await Promise.all(opened.splice(0).map((each) => each.close()))
    })

    test('gives back what was set, and null for what was not', async () => {
      await store.set('pattern:AAPL:flag', 'one', MINUTE)
      expect(await store.get('pattern:AAPL:flag')).toBe('one')
      expect(await store.get('pattern:AAPL:wedge')).toBeNull()
    })

    test('setting again replaces the value and its lifetime', async () => {
      await store.set('key', 'short', { ttlSeconds: 1, tags: [] })
      // Ends no sooner than the first lifetime of the other key.
      await store.set('witness', 'short', { ttlSeconds: 1, tags: [] })
      await store.set('key', 'long', MINUTE)
      await vi.waitFor(async () => expect(await store.get('witness')).toBeNull(), 60_000)
      expect(await store.get('key')).toBe('long')
    })

    test('an expired entry is gone everywhere', async () => {
      await store.set('news:1', 'old', { ttlSeconds: 1, tags: ['news'] })
      await store.set('news:2', 'kept', MINUTE)
      await vi.waitFor(async () => expect(await store.get('news:1')).toBeNull(), 60_000)
      expect(await store.mget(['news:1', 'news:2'])).toEqual([null, 'kept'])
      expect(await allOf(store)).toMatchObject({ keys: ['news:2'], total: 1 })
      expect(await store.stats(PREFIXES)).toMatchObject({ keys: 1 })
      expect(await store.delete(['news:1'])).toBe(0)
      expect(await store.deleteByTag('news')).toBe(0)
    })

    test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, 1e12, MAX_TTL_SECONDS + 1])(
      'a lifetime of %d seconds is refused and nothing is stored',
      async (ttlSeconds) => {
        await expect(
          store.set('key', 'value', { ttlSeconds, tags: ['tag'] }),
        ).rejects.toMatchObject({
          code: 'invalid_input',
          message: 'The time to live must be a whole number of seconds from 1 to 86400.',
        })
        expect(await store.get('key')).toBeNull()
      },
    )

    test('a value of 8 MiB is stored, a larger one is refused and the old one kept', async () => {
      const largest = 'é'.repeat(MAX_VALUE_BYTES / 2)
      await store.set('big', largest, { ttlSeconds: MAX_TTL_SECONDS, tags: [] })
      await expect(store.set('big', `${largest}x`, MINUTE)).rejects.toMatchObject({
        code: 'invalid_input',
        message: 'The value has 8388609 bytes; a cache entry may have 8388608.',
      })
      expect((await store.get('big')) === largest).toBe(true)
    })

    test('mget answers in the order of its keys, repeated and missing ones too', async () => {
      await fill(store, ['a', 'b'])
      expect(await store.mget(['b', 'none', 'a', 'b'])).toEqual([
        'value of b',
        null,
        'value of a',
        'value of b',
      ])
      expect(await store.mget([])).toEqual([])
    })

    test('delete counts what existed and leaves the rest', async () => {
      await fill(store, ['a', 'b', 'c'])
      expect(await store.delete(['a', 'none', 'b'])).toBe(2)
      expect(await store.delete([])).toBe(0)
      expect((await allOf(store)).keys).toEqual(['c'])
    })

    test('any well-formed text is a key and a value', async () => {
      await fc.assert(
        fc.asyncProperty(wellFormed(), wellFormed(), async (key, value) => {
          await store.set(key, value, MINUTE)
          expect(await store.get(key)).toBe(value)
          expect((await allOf(store)).keys).toEqual([key])
          expect(await store.delete([key])).toBe(1)
        }),
        { numRuns: 100 },
      )
    })

    const ODD = ['*', '[', '../', '\\', 'a:b', 'a', ' ', '\0', 'é', 'x'.repeat(300)]
    test.each(ODD)('the tag %j and a key of that name are taken literally', async (name) => {
      for (const odd of ODD) await store.set(`key ${odd}`, 'x', { ttlSeconds: 60, tags: [odd] })
      await store.set(name, 'untagged', MINUTE)
      expect(await store.deleteByTag(name)).toBe(1)
      const left = ODD.filter((odd) => odd !== name).map((odd) => `key ${odd}`)
      expect((await allOf(store)).keys).toEqual([...left, name].toSorted())
    })

    test('deletes the entries of a large tag, counts each once, and leaves the rest', async () => {
      const placement = { ttlSeconds: 60, tags: ['AAPL', 'all'] }
      for (const part of ['a', 'b', 'c', 'd', 'e']) {
        await Promise.all(range(500, part).map((key) => store.set(key, 'x', placement)))
      }
      await store.set('other', 'x', { ttlSeconds: 60, tags: ['all'] })
      expect(await store.deleteByTag('AAPL')).toBe(2_500)
      expect(await store.deleteByTag('AAPL')).toBe(0)
      expect(await store.deleteByTag('none')).toBe(0)
      expect((await allOf(store)).keys).toEqual(['other'])
      expect(await store.deleteByTag('all')).toBe(1)
    })

    test('tells which of many tags something is stored under', async () => {
      await store.set('key', 'x', { ttlSeconds: 60, tags: ['AAPL', '*'] })
      expect(await store.usedTags(['MSFT', '*', 'AAP', 'AAPL'])).toEqual(['*', 'AAPL'])
      expect(await store.usedTags(['MSFT', 'AAP'])).toEqual([])
      expect(await store.usedTags([])).toEqual([])
    })

    test('an aborted deletion of a tag stops', async () => {
      await store.set('key', 'x', { ttlSeconds: 60, tags: ['tag'] })
      const deletion = store.deleteByTag('tag', AbortSignal.abort())
      await expect(deletion).rejects.toMatchObject({ code: 'cancelled' })
      expect(await store.get('key')).toBe('x')
    })

    test('whatever is stored and deleted before, a tag takes its entries and no other', async () => {
      const key = () => fc.constantFrom('a', 'b', 'c', 'd')
      const tag = () => fc.constantFrom('s', 't', 'u')
      const step = fc.oneof(
        fc.record({ key: key(), tags: fc.uniqueArray(tag()) }),
        fc.record({ removed: key() }),
        fc.record({ tag: tag() }),
      )
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 12 }), tag(), async (steps, last) => {
          await engine.reset()
          await store.deleteByPattern('*')
          const model = new Map<string, { now: string[]; ever: Set<string> }>()
          for (const each of steps) {
            if ('key' in each) {
              await store.set(each.key, 'x', { ttlSeconds: 60, tags: each.tags })
              const ever = new Set([...(model.get(each.key)?.ever ?? []), ...each.tags])
              model.set(each.key, { now: each.tags, ever })
            } else if ('removed' in each) {
              await store.delete([each.removed])
            } else {
              await store.deleteByTag(each.tag)
            }
          }
          const before = (await allOf(store)).keys
          const deleted = await store.deleteByTag(last)
          const { keys } = await allOf(store)
          expect(deleted).toBe(before.length - keys.length)
          for (const each of before) {
            if (model.get(each)?.now.includes(last)) expect(keys).not.toContain(each)
            if (!model.get(each)?.ever.has(last)) expect(keys).toContain(each)
          }
        }),
        { numRuns: 60 },
      )
    })

    const NAMES = [
      'p:A',
      'p:AB',
      'p:B',
      'p:[A]',
      'p:*',
      'p:?',
      'p:\\',
      'p:é',
      'q:A',
      'p:-',
      'r:ABABC',
    ]
    test.each<[string, string[]]>([
      ['*', NAMES],
      ['p:A', ['p:A']],
      ['p:A*', ['p:A', 'p:AB']],
      ['p:?', ['p:A', 'p:B', 'p:*', 'p:?', 'p:\\', 'p:-']],
      ['p:??', ['p:AB', 'p:é']],
      ['p:[AB]', ['p:A', 'p:B']],
      ['p:[^AB]', ['p:*', 'p:?', 'p:\\', 'p:-']],
      ['p:[A-Z]', ['p:A', 'p:B']],
      ['p:[Z-A]', ['p:A', 'p:B']],
      ['p:[A-]', ['p:A', 'p:B', 'p:\\']],
      ['p:\\*', ['p:*']],
      ['p:\\[A\\]', ['p:[A]']],
      ['p:[*]', ['p:*']],
      ['p:\\\\', ['p:\\']],
      ['p:[AB', ['p:A', 'p:B']],
      ['p:[]', []],
      ['?:A', ['p:A', 'q:A']],
      ['**A**', ['p:A', 'p:AB', 'p:[A]', 'q:A', 'r:ABABC']],
      ['r:*ABC', ['r:ABABC']],
      ['*:*B*[BC]', ['r:ABABC']],
      ['r:*ABA', []],
      ['../*', []],
      ['', []],
    ])('the pattern %s finds its keys, and deletes exactly those', async (pattern, expected) => {
      await fill(store, NAMES)
      const found = await store.keys({ pattern, after: null, limit: 100 })
      expect(found).toEqual({
        keys: expected.toSorted(),
        total: expected.length,
        next: null,
        complete: true,
      })
      expect(await store.deleteByPattern(pattern)).toBe(expected.length)
      const left = NAMES.filter((key) => !expected.includes(key))
      expect((await allOf(store)).keys).toEqual(left.toSorted())
    })

    test('deletes many keys by pattern and counts each once', async () => {
      await fill(store, range(2_500, 'pattern:'))
      await fill(store, range(1_500, 'news:'))
      expect(await store.deleteByPattern('pattern:*')).toBe(2_500)
      expect(await allOf(store)).toMatchObject({ total: 1_500 })
    })

    test('an aborted deletion stops and says so', async () => {
      await fill(store, ['a', 'b'])
      const deletion = store.deleteByPattern('*', AbortSignal.abort())
      await expect(deletion).rejects.toMatchObject({ code: 'cancelled' })
      expect((await allOf(store)).keys).toEqual(['a', 'b'])
    })

    test('each step of a deletion is reported, and together they are the whole', async () => {
      for (const part of ['a', 'b', 'c', 'd', 'e', 'f']) {
        const placement = { ttlSeconds: 60, tags: ['tag'] }
        await Promise.all(range(500, part).map((key) => store.set(key, 'x', placement)))
      }
      const steps: number[] = []
      const report = (count: number) => void steps.push(count)
      expect(await store.deleteByPattern('[a-c]*', undefined, report)).toBe(1_500)
      expect(sumOf(steps.splice(0))).toBe(1_500)
      expect(await store.deleteByTag('tag', undefined, report)).toBe(1_500)
      expect(sumOf(steps)).toBe(1_500)
      expect(steps.length).toBeGreaterThan(1)
    })

    test('pages are full, in order, without overlap, and end', async () => {
      const keys = range(95, 'k')
      await fill(store, keys)
      const pages = await pagesOf(store, 'k*', 10)
      expect(pages.map((page) => page.keys.length)).toEqual([...Array(9).fill(10), 5])
      expect(pages.flatMap((page) => page.keys)).toEqual(keys.toSorted())
      expect(pages.every((page) => page.total === 95)).toBe(true)
    })

    test('a page that ends with the last key has no successor', async () => {
      await fill(store, range(20, 'k'))
      expect(await pagesOf(store, '*', 10)).toHaveLength(2)
    })

    test('each key that stays is listed exactly once while others come and go', async () => {
      const stable = range(300, 'k').map((key) => `${key}:stable`)
      await fill(store, stable)
      let stop = false
      const writer = churn(store, () => stop)
      const pages = await pagesOf(store, 'k*', 40)
      stop = true
      await writer
      const listed = pages.flatMap((page) => page.keys)
      expect(new Set(listed).size).toBe(listed.length)
      expect(listed.filter((key) => key.endsWith(':stable'))).toEqual(stable.toSorted())
    })

    test('one namespace never sees, counts or deletes the keys of another', async () => {
      const namespace = () =>
        fc.string({
          unit: fc.constantFrom('a', 'b', '*', '?', '[', ']', '\\', '-'),
          minLength: 1,
          maxLength: 4,
        })
      const pattern = () =>
        fc.string({
          unit: fc.constantFrom('a', ':', '*', '?', '[', ']', '^', '\\', '.', '/'),
          maxLength: 6,
        })
      await fc.assert(
        fc.asyncProperty(namespace(), namespace(), pattern(), async (ours, theirs, glob) => {
          fc.pre(ours !== theirs)
          await engine.reset()
          const [mine, other] = [engine.open(ours), engine.open(theirs)]
          await fill(other, ['a', 'a:b', 'pattern:X', '*'])
          await mine.set('a', 'mine', MINUTE)
          expect((await mine.keys({ pattern: '*', after: null, limit: 100 })).keys).toEqual(['a'])
          expect(await mine.stats(['a'])).toMatchObject({ keys: 1 })
          expect(await mine.mget(['a:b', '*'])).toEqual([null, null])
          await mine.deleteByPattern(glob)
          await mine.delete(['a', 'a:b', '*'])
          expect((await allOf(other)).keys).toEqual(['*', 'a', 'a:b', 'pattern:X'])
          await Promise.all([mine.close(), other.close()])
        }),
        { numRuns: 60 },
      )
    })

    test('statistics count reads, keys and memory as they are', async () => {
      expect(await store.stats(PREFIXES)).toMatchObject({
        hit_rate: null,
        evicted_keys: 0,
        keys: 0,
        keys_complete: true,
        keys_by_prefix: new Map([
          ['pattern:', 0],
          ['news:', 0],
        ]),
      })
      await fill(store, ['pattern:A:x', 'pattern:B:x', 'news:1', 'other'])
      await store.get('news:1')
      await store.mget(['pattern:A:x', 'pattern:B:x', 'pattern:C:x'])
      const before = await store.stats(PREFIXES)
      expect(before).toMatchObject({ hit_rate: 0.75, keys: 4, keys_complete: true })
      expect(before.keys_by_prefix).toEqual(
        new Map([
          ['pattern:', 2],
          ['news:', 1],
        ]),
      )
      await store.set('big', 'x'.repeat(5_000_000), MINUTE)
      const after = await store.stats(PREFIXES)
      const grown = (after.used_memory_bytes ?? 0) - (before.used_memory_bytes ?? 0)
      expect(grown).toBeGreaterThan(4_900_000)
      expect(grown).toBeLessThan(20_000_000)
      expect((await store.memory()).max_memory_bytes).toBe(after.max_memory_bytes)
    })

    test('is ready, since an instant that does not move', async () => {
      const first = await store.health()
      expect(first).toMatchObject({ state: 'ready', reason: null, breaker: 'closed' })
      expect(await store.health()).toEqual(first)
    })
  })
}

const sumOf = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0)

const range = (count: number, prefix: string): string[] =>
  Array.from({ length: count }, (_, index) => `${prefix}${String(index).padStart(5, '0')}`)

/** Writes and deletes keys that sort among the stable ones until told to stop. */
async function churn(store: CacheStore, isOver: () => boolean): Promise<void> {
  for (let round = 0; !isOver(); round++) {
    const keys = range(50, 'k').map((key) => `${key}:passing:${round % 7}`)
    await fill(store, keys)
    await store.delete(keys)
    await new Promise(setImmediate)
  }
}
