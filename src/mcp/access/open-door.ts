import type { Config } from '../../config.js'
import { Door } from './door.js'
import { TokenFile } from './token-file.js'

/**
 * The door as the settings want it.
 *
 * @throws AppError `invalid_input` when the file of tokens cannot be used
 */
export async function openDoor(config: Config): Promise<Door> {
  const {
    CATALYST_TOKENS: path,
    CATALYST_OIDC_ISSUER: issuer,
    CATALYST_AUDIENCE: audience,
  } = config
  return new Door({
    tokens: path === undefined ? null : new TokenFile(path),
    oidc: issuer === undefined ? null : await oidc(issuer, audience ?? ''),
    issuer: issuer ?? null,
    audience: audience ?? null,
    requestsPerMinute: config.policy.limits.requests_per_minute,
  })
}

/** What checks signatures is loaded only where there are any. */
async function oidc(issuer: string, audience: string) {
  const { OidcIssuer } = await import('./oidc.js')
  return new OidcIssuer(issuer, audience)
}
