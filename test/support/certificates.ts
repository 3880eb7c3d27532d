import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import { findOnPath } from '../../src/platform/embedded/binaries.js'

/** The program that makes certificates; without it nothing about TLS can be tried. */
export const openssl = findOnPath(['openssl'])

/** Files in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

const KEY = '-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes'

/** An authority of one test file, removed with all it has signed when the file ends. */
export class Authority {
  readonly #directory = mkdtempSync(join(tmpdir(), 'catalyst-tls-'))
  #made = 0

  constructor() {
    afterAll(() => rmSync(this.#directory, { recursive: true, force: true }))
    this.#run(`req -x509 ${KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=ca`)
  }

  /** The file that whoever trusts it names. */
  get file(): string {
    return this.#file('ca.pem')
  }

  /** A certificate for these names, such as `DNS:localhost,IP:127.0.0.1`; of negative days has expired. */
  certify(names: string, days = 2): Certificate {
    const name = `cert${++this.#made}`
    writeFileSync(this.#file(`${name}.ext`), `subjectAltName=${names}`)
    this.#run(`req ${KEY} -keyout ${name}.key -out ${name}.csr -subj /CN=${name}`)
    this.#run(
      `x509 -req -in ${name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days ${days} -extfile ${name}.ext -out ${name}.pem`,
    )
    return { cert: this.#file(`${name}.pem`), key: this.#file(`${name}.key`) }
  }

  /** A certificate that nobody but itself has signed. */
  selfSigned(names: string): Certificate {
    const name = `cert${++this.#made}`
    this.#run(
      `req -x509 ${KEY} -keyout ${name}.key -out ${name}.pem -days 2 -subj /CN=${name} -addext subjectAltName=${names}`,
    )
    return { cert: this.#file(`${name}.pem`), key: this.#file(`${name}.key`) }
  }

  #file(name: string): string {
    return join(this.#directory, name)
  }

  #run(command: string): void {
    // Without it nothing that uses these runs, but what is to be run is still collected.
    if (openssl)
      execFileSync(openssl, command.split(' '), { cwd: this.#directory, stdio: 'ignore' })
  }
}
