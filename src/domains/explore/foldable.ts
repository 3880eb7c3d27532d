/**
 * Whether a stored expression calls the function with nothing but constants: then PostgreSQL computes it
 * whenever it plans a query of the table. Called on a column it waits until a query asks for it.
 *
 * @param tree as `pg_node_tree` is written
 */
export function isFoldable(tree: string, oid: number): boolean {
  const call = new RegExp(`:(?:funcid|opfuncid) ${oid}\\b`, 'g')
  return [...tree.matchAll(call)].some(({ index }) => {
    const start = tree.lastIndexOf('{', index)
    return !tree.slice(start, endOf(tree, start)).includes('{VAR ')
  })
}

/** Where the node that begins there ends. Braces of names and constants are escaped with a backslash. */
function endOf(tree: string, start: number): number {
  let depth = 0
  for (let at = start; at < tree.length; at++) {
    if (tree[at] === '\\') at++
    else if (tree[at] === '{') depth++
    else if (tree[at] === '}' && --depth === 0) return at
  }
  return tree.length
}
