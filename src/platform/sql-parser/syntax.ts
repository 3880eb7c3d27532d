import type { Node } from 'libpg-query'

export type {
  AlterTableCmd,
  ColumnDef,
  Constraint,
  DefElem,
  Node,
  RangeVar,
  TypeName,
} from 'libpg-query'

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

/** The fields of a node if it is of the kind. */
export function body<K extends Kind>(node: Node | undefined, kind: K): Body<K> | undefined {
  const tagged: Partial<Record<Kind, unknown>> = node ?? {}
  // The key says what is under it.
  return tagged[kind] as Body<K> | undefined
}

/** The fields of those nodes of a list that are of the kind. */
export function bodies<K extends Kind>(nodes: readonly Node[] | undefined, kind: K): Body<K>[] {
  return (nodes ?? []).flatMap((node) => body(node, kind) ?? [])
}

/**
 * Every node inside of a statement, itself first, but not in the bodies of functions and rules, which
 * it only defines. Without recursion: a statement may be nested deeper than the stack.
 */
export function* nodesOf({ kind, node }: AnyNode): Generator<AnyNode> {
  const waiting: unknown[] = [{ [kind]: node }]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (typeof value !== 'object' || value === null) continue
    const found = isTagged(value) ? untag(value) : null
    if (found) yield found
    if (found?.kind === 'CreateFunctionStmt' || found?.kind === 'RuleStmt') continue
    for (const child of Object.values(value).reverse()) waiting.push(child)
  }
}

/** Kinds begin with a capital letter, and fields do not. */
const isTagged = (value: object): value is Node => {
  const [key, second] = Object.keys(value)
  return key !== undefined && second === undefined && /^[A-Z]/.test(key)
}
