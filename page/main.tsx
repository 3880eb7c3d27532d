import { render } from 'preact'
import { useCallback, useEffect, useState } from 'preact/hooks'
import { Console } from './app.js'
import type { Visitor } from './context.js'
import { HttpSource } from './http-source.js'
import { SignIn } from './sign-in.js'

const SESSION = '/session'
const RETRY_MS = 3_000
const source = new HttpSource()

const ask = async (): Promise<Visitor> => (await fetch(SESSION)).json()

/** The token for a cookie; answers why not, or null. */
async function exchange(token: string): Promise<string | null> {
  const response = await fetch(SESSION, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token }),
  }).catch(() => null)
  if (response?.ok) return null
  if (!response) return 'The server does not answer.'
  if (response.status !== 429) return 'The token is not known, or no longer good.'
  const wait = response.headers.get('retry-after') ?? '60'
  return `Too many wrong tokens. Try again in ${wait} s.`
}

function Page() {
  const [visitor, set] = useState<Visitor | null>(null)
  const [reason, setReason] = useState<string | null>(null)
  const look = useCallback(async (): Promise<void> => {
    try {
      set(await ask())
    } catch {
      setTimeout(look, RETRY_MS)
    }
  }, [])
  useEffect(() => void look(), [look])
  const signOut = useCallback(async () => {
    await fetch(SESSION, { method: 'DELETE' }).catch(() => {})
    setReason('You are signed out.')
    await look()
  }, [look])
  if (!visitor)
    return (
      <main class="sign-in" aria-busy="true">
        <h1>catalyst-db</h1>
        <p>Asking the server…</p>
      </main>
    )
  if (!visitor.sign_in || visitor.name !== null) {
    return <Console source={source} visitor={visitor} onSignOut={signOut} />
  }
  const onToken = async (token: string) => {
    const problem = await exchange(token)
    if (problem === null) await look()
    return problem
  }
  return <SignIn onToken={onToken} reason={reason} />
}

const place = document.getElementById('page')
if (place) {
  place.textContent = ''
  render(<Page />, place)
}
