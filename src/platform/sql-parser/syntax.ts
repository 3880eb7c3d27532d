import type { Node } from 'libpg-query'

type KeysOf<T> = T extends T ? keyof T : never

/** The name of a node of PostgreSQL's syntax tree, such as `IndexStmt`. */
export type Kind = KeysOf<Node>

/** The fields of one kind of node. */
export type Body<K extends Kind> = Extract<Node, Record<K, unknown>>[K]

/** One kind of node with its fields; telling the kinds apart tells the fields apart. */
type Tagged<K extends Kind> = K extends K ? { readonly kind: K; readonly node: Body<K> } : never

/** A node of any kind. */
export type AnyNode = Tagged<Kind>

/** One statement of a script; `node` is what `kind` says. */
export type ScriptStatement = AnyNode & {
  /** From its first word to before its semicolon. */
  readonly text: string
  /** Of its first word, from 1. */
  readonly line: number
  /** Its place in the script, from 1. */
  readonly index: number
}

/** The kind and fields of a node as the parser writes it, `{ IndexStmt: { … } }`. */
export function untag(node: Node): AnyNode {
  const [[kind, body] = []] = Object.entries(node)
  // The parser writes exactly one key, and under it the fields of that kind.
  return { kind, node: body } as AnyNode
}
