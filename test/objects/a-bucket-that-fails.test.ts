import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { S3Store } from '../../src/platform/objects/s3.js'
import { type Fault, lockedBucket, type Passing, S3Proxy } from '../support/s3-proxy.js'
import { hasS3Server, S3Server } from '../support/s3-server.js'
import { PART_BYTES } from './stores.js'

let server: S3Server
let proxy: S3Proxy
let bucket = ''
let store: S3Store

/** What a request is for. */
const isPart = ({ method, path }: Passing) => method === 'PUT' && path.includes('partNumber=')
const isWhole = ({ method, path }: Passing) => method === 'PUT' && !path.includes('partNumber=')
const isEnd = ({ method, path }: Passing) => method === 'POST' && path.includes('uploadId=')
const isBegin = ({ method, path }: Passing) => method === 'POST' && path.includes('?uploads')
const isRead = ({ method, path }: Passing) => method === 'GET' && !path.includes('list-type')
const isList = ({ method, path }: Passing) => method === 'GET' && path.includes('list-type')
const isLook = ({ method }: Passing) => method === 'HEAD'

/** So many requests of a kind go wrong, then they pass. */
function failing(times: number, is: (passing: Passing) => boolean, fault: Fault) {
  let left = times
  proxy.fault = (passing) => {
    if (left === 0 || !is(passing)) return null
    left -= 1
    return fault
  }
}

const content = randomBytes(3 * PART_BYTES + 99)
const stream = () => Readable.from([content], { objectMode: false })
const unfinished = () => store.abandonUploads(new Date(Date.now() + 60_000))
let keys = 0
const newKey = () => {
  keys += 1
  return `faults/${keys}`
}

// Where no S3 server can be had there is nothing to go wrong.
describe.runIf(hasS3Server)('a bucket', () => {
  beforeAll(async () => {
    server = await S3Server.start()
    proxy = await S3Proxy.start(server.endpoint)
    bucket = await server.bucket()
    store = new S3Store(`s3://${bucket}`, {
      ...server.access(proxy.endpoint),
      partBytes: PART_BYTES,
    })
  })
  afterAll(async () => {
    store.close()
    await proxy.stop()
    await server.stop()
  })
  beforeEach(() => {
    proxy.fault = () => null
    proxy.seen.length = 0
  })

  const SLOW_DOWN: Fault = { kind: 'answer', status: 503, code: 'SlowDown' }
  const ERROR: Fault = { kind: 'answer', status: 500, code: 'InternalError' }

  test.each([
    ['looks', isLook],
    ['beginnings of uploads', isBegin],
    ['parts', isPart],
    ['ends of uploads', isEnd],
    ['reads', isRead],
    ['lists', isList],
  ])('%s are tried again while the server is busy, fails, or hangs up', async (_, is) => {
    for (const fault of [SLOW_DOWN, ERROR, { kind: 'reset' } as const]) {
      const key = newKey()
      failing(2, is, fault)
      await store.put(key, stream())
      expect((await buffer(await store.get(key))).equals(content)).toBe(true)
      const listed: string[] = []
      for await (const found of store.list(key)) listed.push(found.key)
      expect(listed).toEqual([key])
    }
    expect(await unfinished()).toBe(0)
  })

  test.each([
    ['of a small object', isWhole, Buffer.from('small')],
    ['of a part', isPart, content],
    ['of the end of an upload', isEnd, content],
  ])('an answer %s that is lost does no harm', async (_, is, body) => {
    const key = newKey()
    failing(1, is, { kind: 'lose' })
    await store.put(key, body)
    expect((await buffer(await store.get(key))).equals(body)).toBe(true)
    expect(await unfinished()).toBe(0)
  })

  test('an answer that is lost does no harm where nothing may be overwritten', async () => {
    const key = newKey()
    lockedBucket(proxy)
    const locked = proxy.fault
    let isLost = false
    proxy.fault = async (passing, nth) => {
      const refused = await locked(passing, nth)
      if (refused || isLost || !isWhole(passing)) return refused
      isLost = true
      return { kind: 'lose' }
    }
    await store.put(key, Buffer.from('once'))
    expect(proxy.seen.filter(isWhole).length).toBeGreaterThan(1)
    expect((await buffer(await store.get(key))).toString()).toBe('once')
  })

  test('a read that is cut off goes on where it was cut', async () => {
    const key = newKey()
    await store.put(key, content)
    failing(3, isRead, { kind: 'cut', bytes: 1_000_000 })
    expect((await buffer(await store.get(key))).equals(content)).toBe(true)
    expect(proxy.seen.filter(isRead).length).toBe(4)
  })

  test('a read that never comes further is given up, and says so', async () => {
    const key = newKey()
    await store.put(key, content)
    let reads = 0
    proxy.fault = (passing) => {
      if (!isRead(passing)) return null
      reads += 1
      return { kind: 'cut', bytes: reads === 1 ? 500 : 0 }
    }
    await expect(buffer(await store.get(key))).rejects.toMatchObject({ code: 'unavailable' })
  })

  test('a refusal is told at once, with what mends it and without any secret', async () => {
    failing(100, () => true, { kind: 'answer', status: 403, code: 'AccessDenied' })
    const refused = await store.put(newKey(), Buffer.from('x')).catch((error: unknown) => error)
    expect(refused).toMatchObject({ code: 'permission_denied' })
    expect(proxy.seen.length).toBeLessThanOrEqual(2)
    expect(JSON.stringify(refused)).not.toContain('secret')
  })

  test('a wrong secret, a wrong key, and a bucket that is not there are told apart', async () => {
    const good = server.access(proxy.endpoint)
    const accessKeyId = good.credentials?.accessKeyId ?? ''
    const wrong = new S3Store(`s3://${bucket}`, {
      ...good,
      credentials: { accessKeyId, secretAccessKey: 'not this' },
    })
    await expect(wrong.check()).rejects.toThrow(/secret does not belong/)
    const nobody = new S3Store(`s3://${bucket}`, {
      ...good,
      credentials: { accessKeyId: 'nobody', secretAccessKey: 'not this' },
    })
    await expect(nobody.check()).rejects.toMatchObject({ code: 'permission_denied' })
    const nowhere = new S3Store('s3://no-such-bucket', good)
    await expect(nowhere.check()).rejects.toThrow(/no such bucket/)
    await expect(nowhere.put('a', Buffer.from('x'))).rejects.toThrow(/no such bucket/)
    for (const one of [wrong, nobody, nowhere]) one.close()
  })

  test('a server that is not there is told as one', async () => {
    const gone = new S3Store(`s3://${bucket}`, server.access('http://127.0.0.1:1'))
    await expect(gone.check()).rejects.toMatchObject({ code: 'unavailable', retryable: true })
    gone.close()
  })

  test('an upload whose process has died is given up later, a young one is not', async () => {
    failing(1, isEnd, { kind: 'answer', status: 400, code: 'InvalidPart' })
    const abort = ({ method, path }: Passing) => method === 'DELETE' && path.includes('uploadId=')
    const end = proxy.fault
    proxy.fault = (passing, nth) =>
      abort(passing) ? { kind: 'answer', status: 500, code: 'InternalError' } : end(passing, nth)
    const key = newKey()
    await expect(store.put(key, stream())).rejects.toMatchObject({ code: 'unavailable' })
    expect(await store.head(key)).toBe(null)
    proxy.fault = () => null
    expect(await store.abandonUploads(new Date(Date.now() - 3_600_000))).toBe(0)
    expect(await unfinished()).toBe(1)
    expect(await unfinished()).toBe(0)
  })
})
