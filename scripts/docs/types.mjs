// @ts-check
/** Types of TypeScript for what is served, out of JSON Schema: what the client library is typed by. */

/** @typedef {Record<string, any>} Schema */

/**
 * @param {readonly { name: string, input: Schema, output: Schema }[]} tools
 * @param {readonly { path: string, output: Schema }[]} resources
 */
export function servedTypes(tools, resources) {
  const lines = [
    '/* Written by "npm run docs" from what the server says of itself. */',
    '',
    '/** What each tool takes, and what it answers. */',
    'export interface Tools {',
    ...byKey(tools, 'name').map(
      ({ name, input, output }) =>
        `  ${name}: {\n    arguments: ${typeOf(input, '    ')}\n    answer: ${typeOf(output, '    ')}\n  }`,
    ),
    '}',
    '',
    '/** What is read at each path. */',
    'export interface Resources {',
    ...byKey(resources, 'path').map(({ path, output }) => `  '${path}': ${typeOf(output, '  ')}`),
    '}',
    '',
  ]
  return lines.join('\n')
}

/** @type {<T extends Schema>(all: readonly T[], key: string) => T[]} */
const byKey = (all, key) => [...all].sort((a, b) => (a[key] < b[key] ? -1 : 1))

/** @type {(schema: Schema, indent: string) => string} */
function typeOf(schema, indent) {
  if (schema.const !== undefined) return JSON.stringify(schema.const)
  if (schema.enum)
    return schema.enum.map((/** @type {unknown} */ one) => JSON.stringify(one)).join(' | ')
  const choices = schema.anyOf ?? schema.oneOf
  if (choices) return choices.map((/** @type {Schema} */ one) => typeOf(one, indent)).join(' | ')
  if (Array.isArray(schema.type)) {
    return schema.type
      .map((/** @type {string} */ type) => typeOf({ ...schema, type }, indent))
      .join(' | ')
  }
  if (schema.type === 'array') {
    return schema.prefixItems
      ? `[${schema.prefixItems.map((/** @type {Schema} */ item) => typeOf(item, indent)).join(', ')}]`
      : `(${typeOf(schema.items ?? {}, indent)})[]`
  }
  if (schema.type === 'object') return objectType(schema, indent)
  if (schema.type === 'integer' || schema.type === 'number') return 'number'
  if (['string', 'boolean', 'null'].includes(schema.type)) return schema.type
  return 'unknown'
}

/** @type {(schema: Schema, indent: string) => string} */
function objectType({ properties, required = [], additionalProperties }, indent) {
  const inner = `${indent}  `
  const fields = Object.entries(properties ?? {}).map(
    ([name, schema]) =>
      `${inner}${/^\w+$/.test(name) ? name : JSON.stringify(name)}${required.includes(name) ? '' : '?'}: ${typeOf(schema, inner)}`,
  )
  if (fields.length > 0) return `{\n${fields.join('\n')}\n${indent}}`
  const values =
    typeof additionalProperties === 'object' ? typeOf(additionalProperties, indent) : 'unknown'
  return `Record<string, ${values}>`
}
