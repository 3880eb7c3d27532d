import { existsSync, readFileSync } from 'node:fs'
import tls from 'node:tls'

/** What libpq knows, and `no-verify` for who really wants a connection that anybody may listen to. */
const MODES = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full', 'no-verify']
const UNVERIFIED = ['disable', 'no-verify']

/** The authorities that this machine trusts, as libpq's `sslrootcert=system` means them. */
const SYSTEM = 'system'

/** Where systems keep them: https://go.dev/src/crypto/x509/root_linux.go lists the same. */
const SYSTEM_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
  '/etc/ssl/cert.pem',
]

/**
 * Takes what decides about TLS out of a URL's parameters: every mode that asks for TLS verifies. The
 * authority is a file, or `system`; the answer is null where neither is named.
 *
 * @throws TypeError that names the modes there are
 */
export function takeTlsParameters(parameters: URLSearchParams): string | null {
  const mode = parameters.get('sslmode')
  if (mode !== null && !MODES.includes(mode)) {
    throw new TypeError(`sslmode of the PostgreSQL URL is none of ${MODES.join(', ')}`)
  }
  const authority = parameters.get('sslrootcert')
  parameters.delete('sslrootcert')
  const isVerified = mode === null ? authority !== null : !UNVERIFIED.includes(mode)
  if (isVerified) parameters.set('sslmode', 'verify-full')
  else if (authority === SYSTEM) {
    throw new TypeError(`sslrootcert=${SYSTEM} of the PostgreSQL URL needs sslmode=verify-full`)
  }
  return authority
}

/** The options of a connection that trusts this authority, a file or `system`. */
export const trusting = (
  options: tls.SecureContextOptions,
  authority: string,
): tls.ConnectionOptions =>
  authority === SYSTEM
    ? { ...options, secureContext: systemContext(options) }
    : { ...options, ca: readFileSync(authority, 'utf8') }

/** Node's own list, and what the system has beside it; NODE_EXTRA_CA_CERTS adds only to Node's alone. */
function systemContext({ cert, key }: tls.SecureContextOptions): tls.SecureContext {
  const secured = tls.createSecureContext({ ...(cert ? { cert } : {}), ...(key ? { key } : {}) })
  const file = SYSTEM_FILES.find((path) => existsSync(path))
  const certificates = file ? readFileSync(file, 'utf8').match(CERTIFICATE) : null
  for (const certificate of certificates ?? []) secured.context.addCACert(certificate)
  return secured
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g
