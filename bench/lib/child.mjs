import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A helper of the bench in a process of its own, so that neither slows the other's clock. */
export class Child {
  #child
  #ended

  constructor(url, args) {
    this.#child = fork(fileURLToPath(url), args, { serialization: 'advanced' })
    this.#ended = once(this.#child, 'exit').then(() => {
      throw new Error('a helper of the bench has failed')
    })
    this.#ended.catch(() => {})
  }

  /** Sends a message and waits for the answer. */
  async ask(message) {
    this.#child.send(message)
    const [answer] = await Promise.race([once(this.#child, 'message'), this.#ended])
    return answer
  }

  /** Lets it end. */
  async close() {
    if (this.#child.exitCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.disconnect()
    await ended
  }
}
