import { createContext } from 'preact'
import { useContext, useEffect, useState } from 'preact/hooks'
import type { Answers, Feed, FeedName, Feeds, Reach } from './feeds.js'

/** Who looks at the page. */
export interface Visitor {
  /** Whether anybody has to sign in. */
  readonly sign_in: boolean
  readonly name: string | null
  /** Null when everything is allowed. */
  readonly scopes: readonly string[] | null
}

interface Shared {
  readonly feeds: Feeds
  readonly visitor: Visitor
}

/** What all parts of the page share. */
export const SharedContext = createContext<Shared | null>(null)

/** The feeds and the visitor. */
export function useShared(): Shared {
  const shared = useContext(SharedContext)
  if (!shared) throw new Error('outside the page')
  return shared
}

/** The newest answer of a resource. */
export function useFeed<N extends FeedName>(name: N): Feed<Answers[N]> {
  const { feeds } = useShared()
  const [feed, set] = useState(feeds.get(name))
  useEffect(() => {
    const take = () => set(feeds.get(name))
    take()
    return feeds.watch(take)
  }, [feeds, name])
  return feed
}

/** How the server is reached. */
export function useReach(): Reach {
  const { feeds } = useShared()
  const [reach, set] = useState(feeds.reach)
  useEffect(() => feeds.watch(() => set(feeds.reach)), [feeds])
  return reach
}

const NowContext = createContext(Date.now())

/** The time that ages are counted to, in milliseconds since 1970. */
export const useNow = (): number => useContext(NowContext)

const TICK_MS = 5_000

/** Lets time pass for all that is inside. */
export function Clock({ children }: { readonly children: preact.ComponentChildren }) {
  const [now, set] = useState(Date.now())
  useEffect(() => {
    const timer = setInterval(() => set(Date.now()), TICK_MS)
    return () => clearInterval(timer)
  }, [])
  return <NowContext.Provider value={now}>{children}</NowContext.Provider>
}
