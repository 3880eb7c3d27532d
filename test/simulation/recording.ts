/** What a tool or a resource answered. */
// biome-ignore lint/suspicious/noExplicitAny: answers are JSON that tests change field by field
export type Answer = any

interface Port {
  tool(name: string, args?: Record<string, unknown>): Promise<Answer>
  resource(uri: string): Promise<Answer>
}

/** Calls the product and keeps what it answered, so that the same calls can be answered once more. */
export class Recording implements Port {
  readonly #port: Port
  readonly #answers = new Map<string, string[]>()

  constructor(port: Port) {
    this.#port = port
  }

  async tool(name: string, args: Record<string, unknown> = {}): Promise<Answer> {
    return this.#keep(JSON.stringify([name, args]), await this.#port.tool(name, args))
  }

  async resource(uri: string): Promise<Answer> {
    return this.#keep(uri, await this.#port.resource(uri))
  }

  /** Answers what was recorded, after `tamper` had its way with it. */
  replayed(tamper: (name: string, answer: Answer) => void): Port {
    const turns = new Map<string, number>()
    const replay = (key: string, name: string): Answer => {
      const turn = turns.get(key) ?? 0
      turns.set(key, turn + 1)
      const text = this.#answers.get(key)?.[turn]
      if (text === undefined) throw new Error(`${name} was not called like this`)
      const answer = JSON.parse(text)
      tamper(name, answer)
      return answer
    }
    return {
      tool: async (name, args = {}) => replay(JSON.stringify([name, args]), name),
      resource: async (uri) => replay(uri, uri.replace(/\?.*/, '')),
    }
  }

  #keep(key: string, answer: Answer): Answer {
    const answers = this.#answers.get(key) ?? []
    this.#answers.set(key, [...answers, JSON.stringify(answer)])
    return answer
  }
}
