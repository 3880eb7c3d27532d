import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

const COOKIE = 'catalyst_session'
/** After a working day one signs in again. */
const LIFETIME_MS = 12 * 60 * 60 * 1_000
/** More than operators have tabs; the oldest is forgotten for the newest. */
const MAX_SESSIONS = 1_000

interface PageSession {
  readonly token: string
  readonly endsAt: number
}

/**
 * Who is signed in at the page. A browser holds a random number that its scripts cannot read; the token
 * stays here, and what it is good for is looked up at every request, so that one that is revoked ends.
 */
export class PageSessions {
  readonly #sessions = new Map<string, PageSession>()

  /** Begins a session; answers the header that gives the browser its cookie. */
  open(req: IncomingMessage, token: string): string {
    for (const [id, { endsAt }] of this.#sessions) {
      if (endsAt > Date.now() && this.#sessions.size < MAX_SESSIONS) break
      this.#sessions.delete(id)
    }
    const id = randomBytes(32).toString('base64url')
    this.#sessions.set(id, { token, endsAt: Date.now() + LIFETIME_MS })
    return cookie(req, id, LIFETIME_MS / 1_000)
  }

  /** Ends the session of a request; answers the header that takes the cookie away. */
  close(req: IncomingMessage): string {
    this.#sessions.delete(idIn(req))
    return cookie(req, '', 0)
  }

  /** The token of the session that a request belongs to; undefined without one. */
  tokenOf(req: IncomingMessage): string | undefined {
    const session = this.#sessions.get(idIn(req))
    return session && session.endsAt > Date.now() ? session.token : undefined
  }
}

/**
 * Whether a request was sent by the page of this server: browsers send the cookie with whatever any page
 * makes them send, and say in headers that no script can set where it came from.
 */
export function isFromOwnPage({ headers }: IncomingMessage): boolean {
  const { origin, host } = headers
  if (origin === undefined) return headers['sec-fetch-site'] === 'same-origin'
  return URL.canParse(origin) && new URL(origin).host === host?.toLowerCase()
}

const idIn = ({ headers }: IncomingMessage): string =>
  new RegExp(`(?:^|;\\s*)${COOKIE}=([\\w-]+)`).exec(headers.cookie ?? '')?.[1] ?? ''

/** Over TLS, which ends before this server, the browser is told not to send it without. */
const cookie = ({ headers }: IncomingMessage, value: string, seconds: number): string =>
  [
    `${COOKIE}=${value}`,
    'HttpOnly',
    'SameSite=Strict',
    'Path=/',
    `Max-Age=${seconds}`,
    ...(headers['x-forwarded-proto'] === 'https' ? ['Secure'] : []),
  ].join('; ')
