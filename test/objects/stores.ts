import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { DirectoryStore } from '../../src/platform/objects/directory.js'
import { S3Store } from '../../src/platform/objects/s3.js'
import type { ObjectStore } from '../../src/platform/objects/store.js'
import { lockedBucket, S3Proxy } from '../support/s3-proxy.js'
import { hasS3Server, S3Server } from '../support/s3-server.js'

/** The least that S3 allows, so that small tests have several parts. */
export const PART_BYTES = 5 * 1024 * 1024

/** A store with nothing in it, and the end of it. */
export interface Opened {
  readonly store: ObjectStore
  close(): Promise<void>
}

async function openDirectory(): Promise<Opened> {
  const dir = await mkdtemp(join(tmpdir(), 'catalyst-objects-'))
  const store = new DirectoryStore(pathToFileURL(join(dir, 'made later')).href)
  return { store, close: () => rm(dir, { recursive: true, force: true }) }
}

async function openBucket(prepare: (proxy: S3Proxy) => void = () => undefined): Promise<Opened> {
  const server = await S3Server.start()
  const proxy = await S3Proxy.start(server.endpoint)
  const bucket = await server.bucket()
  prepare(proxy)
  const access = { ...server.access(proxy.endpoint), partBytes: PART_BYTES }
  const store = new S3Store(`s3://${bucket}/some/where`, access)
  const close = async () => {
    store.close()
    await proxy.stop()
    await server.stop()
  }
  return { store, close }
}

/** Every kind of store that can be had here, by what it is. */
export const STORES: readonly {
  readonly kind: string
  open(): Promise<Opened>
  readonly isLocked: boolean
}[] = [
  { kind: 'a directory', open: openDirectory, isLocked: false },
  ...(hasS3Server
    ? [
        { kind: 'a bucket', open: () => openBucket(), isLocked: false },
        {
          kind: 'a bucket of locked objects',
          open: () => openBucket(lockedBucket),
          isLocked: true,
        },
      ]
    : []),
]
