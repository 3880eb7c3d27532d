import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3'
import type { S3Access } from '../../src/platform/objects/s3.js'
import { freePort } from '../cache/redis-server.js'

/** The Python that Debian's Swift is installed for. */
const PYTHON = '/usr/bin/python3'
const PROGRAM = fileURLToPath(new URL('s3-server.py', import.meta.url))
const CREDENTIALS = { accessKeyId: 'test:tester', secretAccessKey: 'secret' }

/** Whether a real S3 server can be had here: Debian's Swift, which the check installs where it may. */
export const hasS3Server = existsSync('/usr/bin/swift-proxy-server')

/** Swift with its S3 interface, over HTTP on loopback, with data of its own. */
export class S3Server {
  readonly endpoint: string
  readonly #dir: string
  readonly #process: ChildProcess
  #buckets = 0

  private constructor(endpoint: string, dir: string, child: ChildProcess) {
    this.endpoint = endpoint
    this.#dir = dir
    this.#process = child
  }

  static async start(): Promise<S3Server> {
    const dir = await mkdtemp(join(tmpdir(), 'catalyst-s3-'))
    const port = await freePort()
    const child = spawn(PYTHON, [PROGRAM, dir, String(port)], { stdio: ['pipe', 'pipe', 'pipe'] })
    let told = ''
    child.stderr.on('data', (chunk: Buffer) => {
      told += chunk
    })
    const ended = once(child, 'exit').then(() => {
      throw new Error(`the S3 server has ended: ${told}`)
    })
    ended.catch(() => undefined)
    // It says "ready" once it answers.
    await Promise.race([once(child.stdout, 'data'), ended])
    return new S3Server(`http://127.0.0.1:${port}`, dir, child)
  }

  /** How it is reached, perhaps through something in between. */
  access(endpoint = this.endpoint): S3Access {
    return { endpoint, region: null, credentials: CREDENTIALS }
  }

  /** The settings of the product. */
  settings(endpoint = this.endpoint): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_S3: endpoint,
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
    }
  }

  /** A new bucket. */
  async bucket(): Promise<string> {
    this.#buckets += 1
    const Bucket = `bucket-${this.#buckets}`
    const { endpoint, credentials } = { endpoint: this.endpoint, credentials: CREDENTIALS }
    const region = 'us-east-1'
    const client = new S3Client({ endpoint, credentials, region, forcePathStyle: true })
    await client.send(new CreateBucketCommand({ Bucket }))
    client.destroy()
    return Bucket
  }

  async stop(): Promise<void> {
    const gone = once(this.#process, 'exit')
    this.#process.stdin?.end()
    if (this.#process.exitCode === null) await gone
    await rm(this.#dir, { recursive: true, force: true })
  }
}
