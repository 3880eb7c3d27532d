import { createHash, randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { brotliDecompressSync } from 'node:zlib'
import { Decrypter, generateX25519Identity, identityToRecipient } from 'age-encryption'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DirectoryStore } from '../../src/platform/objects/directory.js'
import { ObjectDamaged, open, type Sealed, store } from '../../src/platform/objects/pipeline.js'

const dir = mkdtempSync(join(tmpdir(), 'sealed-'))
const objects = new DirectoryStore(pathToFileURL(dir).href)
afterAll(() => rmSync(dir, { recursive: true, force: true }))

let identity = ''
let recipient = ''
beforeAll(async () => {
  identity = await generateX25519Identity()
  recipient = await identityToRecipient(identity)
})

const text = Buffer.from('one line as another\n'.repeat(20_000))
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')
const streamOf = (content: Buffer) => Readable.from([content], { objectMode: false })
const HOW = [
  ['plain', 'none', false],
  ['compressed', 'br', false],
  ['encrypted', 'none', true],
  ['compressed and encrypted', 'br', true],
] as const

let count = 0
async function put(content: Buffer, codec: 'br' | 'none', encrypted: boolean) {
  count += 1
  const key = `object/${count}`
  const recipients = encrypted ? [recipient] : []
  const sealed = await store(objects, key, streamOf(content), { codec, recipients })
  return { key, sealed, how: { codec, encrypted, identities: encrypted ? [identity] : [] } }
}

test.each(HOW)('what is stored %s comes back, with its sums', async (_, codec, encrypted) => {
  for (const content of [Buffer.alloc(0), Buffer.from('x'), text, randomBytes(300_000)]) {
    const { key, sealed, how } = await put(content, codec, encrypted)
    const stored = readFileSync(join(dir, key))
    expect(sealed).toEqual({
      plain_bytes: content.length,
      plain_sha256: sha256(content),
      stored_bytes: stored.length,
      stored_sha256: sha256(stored),
    })
    expect((await buffer(await open(objects, key, how, sealed))).equals(content)).toBe(true)
  }
})

test('it is brotli in age, and nothing else', async () => {
  const { key } = await put(text, 'br', true)
  const decrypter = new Decrypter()
  decrypter.addIdentity(identity)
  const opened = await decrypter.decrypt(readFileSync(join(dir, key)))
  expect(brotliDecompressSync(opened).equals(text)).toBe(true)
})

test.each(HOW)('no byte that is stored %s can be changed unseen', async (_, codec, encrypted) => {
  const { key, sealed, how } = await put(text, codec, encrypted)
  const path = join(dir, key)
  const stored = readFileSync(path)
  const step = Math.max(1, Math.floor(stored.length / 40))
  for (let at = 0; at < stored.length; at += step) {
    const changed = Buffer.from(stored)
    changed[at] = (changed[at] ?? 0) ^ 0x40
    writeFileSync(path, changed)
    const reading = open(objects, key, how, sealed).then((plain) => buffer(plain))
    await expect(reading).rejects.toMatchObject({
      code: expect.stringMatching(/integrity_violation|precondition_failed/),
    })
  }
  for (const cut of [0, 1, Math.floor(stored.length / 2), stored.length - 1]) {
    writeFileSync(path, stored.subarray(0, cut))
    await expect(buffer(await open(objects, key, how, sealed))).rejects.toThrow(ObjectDamaged)
  }
})

test('what swells beyond its size is stopped where it does', async () => {
  const { key, sealed, how } = await put(Buffer.alloc(50_000_000), 'br', false)
  const expected: Partial<Sealed> = { ...sealed, plain_bytes: 1_000 }
  let seen = 0
  const reading = (async () => {
    for await (const chunk of await open(objects, key, how, expected)) seen += chunk.length
  })()
  await expect(reading).rejects.toThrow(/longer than 1000 bytes/)
  expect(seen).toBeLessThan(1_000_000)
})

test('without the right identity it says so, and what is none is told as none', async () => {
  const { key, sealed, how } = await put(text, 'br', true)
  for (const identities of [[], [await generateX25519Identity()], ['nonsense']]) {
    const reading = buffer(await open(objects, key, { ...how, identities }, sealed))
    await expect(reading).rejects.toMatchObject({
      code: 'precondition_failed',
      hint: expect.stringContaining('CATALYST_BACKUP_IDENTITY_FILE'),
    })
  }
  const wrong = store(objects, 'object/never', streamOf(text), {
    codec: 'br',
    recipients: ['age1no'],
  })
  await expect(wrong).rejects.toMatchObject({
    code: 'precondition_failed',
    hint: expect.stringContaining('CATALYST_BACKUP_RECIPIENTS'),
  })
  expect(await objects.head('object/never')).toBe(null)
})

test('a source that fails leaves nothing, and its reason is what is told', async () => {
  async function* failing() {
    yield randomBytes(500_000)
    throw new Error('the source is gone')
  }
  for (const [, codec, encrypted] of HOW) {
    const source = Readable.from(failing(), { objectMode: false })
    const recipients = encrypted ? [recipient] : []
    await expect(store(objects, 'object/none', source, { codec, recipients })).rejects.toThrow(
      'the source is gone',
    )
    expect(await objects.head('object/none')).toBe(null)
  }
  expect(await objects.abandonUploads(new Date(Date.now() + 60_000))).toBe(0)
})
