import { createRemoteJWKSet, errors, type JWTPayload, jwtVerify } from 'jose'
import { AppError } from '../../errors.js'
import { isGrant } from '../../lib/grants.js'
import type { TokenRights } from './token-file.js'

const DISCOVERY_TIMEOUT_MS = 5_000
/** Clocks differ by so much. */
const CLOCK_TOLERANCE_S = 30
/** What is signed by whoever knows a public key is no signature. */
const ALGORITHMS = ['RS256', 'PS256', 'ES256', 'ES384', 'EdDSA']

/** Checks access tokens of an OpenID Connect issuer (RFC 9068, RFC 8725). */
export class OidcIssuer {
  readonly #issuer: string
  readonly #audience: string
  #keys: ReturnType<typeof createRemoteJWKSet> | null = null

  constructor(issuer: string, audience: string) {
    this.#issuer = issuer
    this.#audience = audience
  }

  /**
   * Whose token it is, with the scopes it was given; null when it is not a good one of this issuer and
   * audience.
   *
   * @throws AppError `unavailable` while the issuer's keys cannot be had
   */
  async verify(token: string): Promise<TokenRights | null> {
    const keys = await this.#jwks()
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: this.#issuer,
        audience: this.#audience,
        algorithms: ALGORITHMS,
        clockTolerance: CLOCK_TOLERANCE_S,
        requiredClaims: ['sub', 'exp'],
      })
      return rightsOf(payload)
    } catch (error) {
      const isBad =
        error instanceof errors.JOSEError &&
        !(error instanceof errors.JWKSTimeout) &&
        error.code !== 'ERR_JOSE_GENERIC'
      if (isBad) return null
      throw unreachable(error)
    }
  }

  async #jwks() {
    if (this.#keys) return this.#keys
    try {
      const url = `${this.#issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
      const response = await fetch(url, { signal: AbortSignal.timeout(DISCOVERY_TIMEOUT_MS) })
      const { issuer, jwks_uri } = Object(await response.json())
      // OpenID Connect Discovery 4.3: another issuer's document is not to be trusted.
      if (issuer !== this.#issuer) throw new Error('the document names another issuer')
      this.#keys = createRemoteJWKSet(new URL(jwks_uri))
      return this.#keys
    } catch (error) {
      throw unreachable(error)
    }
  }
}

function rightsOf({ sub, scope, scp }: JWTPayload): TokenRights {
  const words = Array.isArray(scp) ? scp.map(String) : String(scope ?? scp ?? '').split(' ')
  return { name: String(sub), grants: new Set(words.filter(isGrant)), toolsets: null }
}

const unreachable = (cause: unknown): AppError =>
  new AppError('unavailable', 'The issuer of tokens (CATALYST_OIDC_ISSUER) cannot be reached.', {
    hint: 'Try again when it is back.',
    cause,
  })
