/** What keeps a connection from being made, and what to do about it, in words that may be shown. */
export interface Trouble {
  readonly cause: string
  readonly fix: string
}

/** Whose certificate is looked at, and which settings decide whether it is trusted. */
export interface TlsPeer {
  readonly name: string
  /** The setting that names the server. */
  readonly url: string
  /** How to name the authority of a certificate. */
  readonly authority: string
  /** How to present a certificate of one's own. */
  readonly ownCertificate: string
}

type Told = (peer: TlsPeer) => Trouble

const restart = 'then restart catalyst-db'

const expired: Told = ({ name }) => ({
  cause: `The TLS certificate of ${name} has expired.`,
  fix: `Renew the certificate on the server of ${name}.`,
})

const notYetValid: Told = ({ name }) => ({
  cause: `The TLS certificate of ${name} is not valid yet.`,
  fix: `Look at the clocks of this machine and of the server of ${name}, and at the dates of the certificate.`,
})

const selfSigned: Told = ({ name, authority }) => ({
  cause: `The TLS certificate of ${name} is self-signed, or its authority is, and this machine does not trust it.`,
  fix: `Name the file of that certificate or authority with ${authority}, ${restart}.`,
})

const unknownAuthority: Told = ({ name, authority }) => ({
  cause: `The TLS certificate of ${name} comes from an unknown authority.`,
  fix: `Name the file of its authority with ${authority}, ${restart}.`,
})

const otherName: Told = ({ name, url }) => ({
  cause: `The TLS certificate of ${name} is for another host name than the one in ${url}.`,
  fix: `Write a host name of the certificate into ${url}, or give the server a certificate for this name, ${restart}.`,
})

const revoked: Told = ({ name }) => ({
  cause: `The TLS certificate of ${name} is revoked or rejected.`,
  fix: `Give the server of ${name} another certificate.`,
})

const wantsOurs: Told = ({ name, ownCertificate }) => ({
  cause: `${name} asks for a TLS certificate of this client, or does not accept the one it was given.`,
  fix: `Set ${ownCertificate}, ${restart}.`,
})

const handshake: Told = ({ name, url }) => ({
  cause: `The TLS handshake with ${name} failed.`,
  fix: `Look whether host and port in ${url} are those of a TLS server, and which TLS versions it takes.`,
})

/**
 * How Node names what is wrong with a certificate or its chain: X509_V_ERR_* without the prefix, of
 * https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/ and its own ERR_TLS_* and ERR_SSL_*.
 */
const KINDS: readonly (readonly [pattern: RegExp, told: Told])[] = [
  [/^CERT_HAS_EXPIRED$/, expired],
  [/^CERT_NOT_YET_VALID$/, notYetValid],
  [/SELF_SIGNED/, selfSigned],
  [/ALTNAME|HOSTNAME_MISMATCH/, otherName],
  [/REVOKED|REJECTED/, revoked],
  [
    /^(UNABLE_TO_|CERT_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH|ERROR_IN_CERT|CRL_)/,
    unknownAuthority,
  ],
  [
    /^ERR_SSL_.*(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(EXPIRED|REVOKED|UNKNOWN)|HANDSHAKE_FAILURE)/,
    wantsOurs,
  ],
  [/^(ERR_SSL_|ERR_TLS_|ERR_OSSL_)|^EPROTO$/, handshake],
]

/** What is wrong with the TLS of a connection; null when an error is about something else. */
export function tlsTrouble(error: unknown, peer: TlsPeer): Trouble | null {
  const code: unknown =
    typeof error === 'object' && error !== null ? Reflect.get(error, 'code') : undefined
  if (typeof code !== 'string') return null
  return KINDS.find(([pattern]) => pattern.test(code))?.[1](peer) ?? null
}
