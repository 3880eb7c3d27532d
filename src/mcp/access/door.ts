import type { IncomingMessage } from 'node:http'
import {
  bearerAuthChallengeResponse,
  OAuthError,
  OAuthErrorCode,
} from '@modelcontextprotocol/server'
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { ALL_GRANTS, type Grant } from '../../lib/grants.js'
import { toolsetNames } from '../../lib/scope.js'
import type { Peer } from '../server.js'
import type { OidcIssuer } from './oidc.js'
import { isFromOwnPage, PageSessions } from './page-sessions.js'
import type { TokenFile, TokenRights } from './token-file.js'

/** Where the metadata of RFC 9728 is. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource'

/** Wrong tokens that one address may send in a minute before it has to wait. */
const WRONG_TOKENS_A_MINUTE = 20
const MINUTE_S = 60

/** Who may come in, and as whom. */
export interface DoorSettings {
  /** Null without `CATALYST_TOKENS`. */
  readonly tokens: TokenFile | null
  /** Null without `CATALYST_OIDC_ISSUER`. */
  readonly oidc: OidcIssuer | null
  readonly issuer: string | null
  readonly audience: string | null
  /** Requests of one caller in a minute; 0 is no limit. */
  readonly requestsPerMinute: number
}

/** A caller who was let in, or the answer to one who was not. */
export type Admission =
  | { readonly peer: Peer; readonly refusal: null }
  | { readonly peer: null; readonly refusal: Response }

/** The lock on the door: without tokens only loopback is bound, and everybody there is one caller. */
export class Door {
  readonly #settings: DoorSettings
  readonly #wrong = new RateLimiterMemory({ points: WRONG_TOKENS_A_MINUTE, duration: MINUTE_S })
  readonly #calls: RateLimiterMemory | null
  readonly #pages = new PageSessions()

  constructor(settings: DoorSettings) {
    this.#settings = settings
    const points = settings.requestsPerMinute
    this.#calls = points > 0 ? new RateLimiterMemory({ points, duration: MINUTE_S }) : null
  }

  /** One that lets everybody in, as one caller. */
  static unlocked(): Door {
    const nothing = { tokens: null, oidc: null, issuer: null, audience: null }
    return new Door({ ...nothing, requestsPerMinute: 0 })
  }

  /** Whether callers have to say who they are. */
  get isLocked(): boolean {
    return this.#settings.tokens !== null || this.#settings.oidc !== null
  }

  /**
   * Says who a request comes from, by its bearer token, or by the cookie of who is signed in at the page;
   * its URL may narrow what it is shown.
   */
  async admit(req: IncomingMessage): Promise<Admission> {
    const asked = toolsetNames(queryOf(req.url).get('toolsets'))
    if (!this.isLocked) {
      const scope = { toolsets: asked, readOnly: false, grants: null }
      return { peer: { principal: 'local', owner: 'local', scope }, refusal: null }
    }
    const bearer = /^Bearer +([^\s]+)$/i.exec(req.headers.authorization ?? '')?.[1]
    const { rights, refusal } = await this.#identify(req, bearer ?? this.#tokenOfPage(req))
    if (!rights) return refused(refusal)
    const limited = await this.#calls?.consume(rights.name).catch((limit: unknown) => limit)
    if (
      limited instanceof RateLimiterRes &&
      limited.remainingPoints <= 0 &&
      limited.consumedPoints > this.#settings.requestsPerMinute
    ) {
      return refused(tooMany(limited))
    }
    const { name, grants, toolsets } = rights
    const shown = toolsets && asked ? new Set([...asked].filter((one) => toolsets.has(one))) : null
    const scope = { toolsets: shown ?? asked ?? toolsets, readOnly: false, grants }
    return { peer: { principal: name, owner: name, scope }, refusal: null }
  }

  /** Who is signed in at the page, and whether anybody has to be. */
  async whoIs(req: IncomingMessage) {
    const token = this.#pages.tokenOf(req)
    const rights = token === undefined ? null : await this.#rightsOf(token)
    const scopes = rights ? [...rights.grants] : null
    return { sign_in: this.isLocked, name: rights?.name ?? null, scopes }
  }

  /** Begins a session at the page; answers its cookie, or the refusal that wrong tokens get everywhere. */
  async signIn(
    req: IncomingMessage,
    token: string,
  ): Promise<{ cookie: string; refusal: null } | { cookie: null; refusal: Response }> {
    const { rights, refusal } = await this.#identify(req, token)
    return rights
      ? { cookie: this.#pages.open(req, token), refusal: null }
      : { cookie: null, refusal }
  }

  /** Ends it; answers what takes the cookie away. */
  signOut(req: IncomingMessage): string {
    return this.#pages.close(req)
  }

  /** The answer to a caller who lacks a scope: with it, a client can ask for a better token. */
  lacking(req: IncomingMessage, grant: Grant): Response {
    const message = `This needs the scope ${grant}, which the token lacks.`
    return bearerAuthChallengeResponse(new OAuthError(OAuthErrorCode.InsufficientScope, message), {
      requiredScopes: [grant],
      ...this.#advertised(req),
    })
  }

  /** The document of RFC 9728; null without an issuer. */
  metadata(req: IncomingMessage): object | null {
    const { issuer, audience } = this.#settings
    if (issuer === null) return null
    return {
      resource: audience ?? `${originOf(req)}/mcp`,
      authorization_servers: [issuer],
      scopes_supported: ALL_GRANTS,
      bearer_methods_supported: ['header'],
      resource_name: 'Catalyst Database Services',
    }
  }

  /** Whose token it is; wrong ones are counted, and from some number on not even looked at. */
  async #identify(
    req: IncomingMessage,
    token: string | undefined,
  ): Promise<{ rights: TokenRights; refusal: null } | { rights: null; refusal: Response }> {
    const address = req.socket.remoteAddress ?? ''
    const blocked = await this.#wrong.get(address)
    if (blocked && blocked.consumedPoints > WRONG_TOKENS_A_MINUTE) {
      return { rights: null, refusal: tooMany(blocked) }
    }
    const rights = token === undefined ? null : await this.#rightsOf(token)
    if (rights) return { rights, refusal: null }
    if (token !== undefined) {
      await this.#wrong.consume(address).catch(() => {})
      // A session whose token is revoked asks once more, and not until its address is shut out.
      this.#pages.close(req)
    }
    return { rights: null, refusal: this.#challenge(req, token === undefined) }
  }

  /** A browser sends the cookie by itself: it counts only for what the page sends. */
  #tokenOfPage(req: IncomingMessage): string | undefined {
    return req.method === 'POST' && isFromOwnPage(req) ? this.#pages.tokenOf(req) : undefined
  }

  async #rightsOf(token: string): Promise<TokenRights | null> {
    const { tokens, oidc } = this.#settings
    const own = tokens?.find(token) ?? null
    if (own || !oidc || token.split('.').length !== 3) return own
    const rights = await oidc.verify(token)
    // A subject must not come in as the bearer of a token of the file, nor as the server itself.
    const isTaken = rights && (tokens?.has(rights.name) || RESERVED.has(rights.name))
    return isTaken ? null : rights
  }

  #challenge(req: IncomingMessage, isMissing: boolean): Response {
    const message = isMissing
      ? 'This server needs a token: send the header Authorization: Bearer ….'
      : 'The token is not known, or no longer good.'
    return bearerAuthChallengeResponse(
      new OAuthError(OAuthErrorCode.InvalidToken, message),
      this.#advertised(req),
    )
  }

  #advertised(req: IncomingMessage) {
    if (this.#settings.issuer === null) return {}
    return { resourceMetadataUrl: `${originOf(req)}${METADATA_PATH}` }
  }
}

const RESERVED: ReadonlySet<string> = new Set(['local', 'cli', 'assistant'])

const refused = (refusal: Response): Admission => ({ peer: null, refusal })

function tooMany({ msBeforeNext }: RateLimiterRes): Response {
  const retry_after_ms = Math.max(1, Math.ceil(msBeforeNext))
  const message = 'As many requests as one caller may send in a minute.'
  return Response.json(
    {
      jsonrpc: '2.0',
      id: null,
      error: { code: 1012, message, data: { code: 'rate_limited', retry_after_ms } },
    },
    { status: 429, headers: { 'retry-after': String(Math.ceil(retry_after_ms / 1_000)) } },
  )
}

const queryOf = (url = ''): URLSearchParams => new URLSearchParams(url.split('?')[1])

/** Proxies say how they were reached; nothing is trusted to it but the text of a challenge. */
const originOf = ({ headers }: IncomingMessage): string =>
  `${headers['x-forwarded-proto'] === 'https' ? 'https' : 'http'}://${headers.host ?? 'localhost'}`
