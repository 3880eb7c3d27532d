import { useEffect, useRef, useState } from 'preact/hooks'
import { Mark } from './parts.js'

interface SignInProps {
  /** Resolves with why not; null when it was let in. */
  readonly onToken: (token: string) => Promise<string | null>
  readonly reason: string | null
}

/** Asks for a token, which is kept by the server: this browser gets a cookie that no script can read. */
export function SignIn({ onToken, reason }: SignInProps) {
  const field = useRef<HTMLInputElement>(null)
  const [problem, set] = useState(reason)
  const [isBusy, setBusy] = useState(false)
  useEffect(() => field.current?.focus(), [])
  const submit = async (event: Event) => {
    event.preventDefault()
    const token = field.current?.value.trim() ?? ''
    setBusy(true)
    set(token === '' ? 'Enter a token.' : await onToken(token))
    setBusy(false)
    field.current?.focus()
  }
  return (
    <main class="sign-in">
      <h1>catalyst-db</h1>
      <form onSubmit={submit} aria-labelledby="sign-in-title">
        <h2 id="sign-in-title">Sign in</h2>
        <label for="token">Token</label>
        <input
          ref={field}
          id="token"
          type="password"
          autocomplete="current-password"
          spellcheck={false}
          aria-describedby="token-help token-problem"
          aria-invalid={problem !== null}
        />
        <p id="token-problem" role="alert">
          {problem === null ? null : (
            <>
              <Mark state="warning" say="Not signed in" /> {problem}
            </>
          )}
        </p>
        <button type="submit" class="primary" disabled={isBusy}>
          {isBusy ? 'Asking…' : 'Sign in'}
        </button>
        <p id="token-help" class="fine">
          The operator of this server makes one with{' '}
          <code>catalyst-db token create NAME --scopes db:read</code>. What you may do here is what
          the token allows.
        </p>
      </form>
    </main>
  )
}
