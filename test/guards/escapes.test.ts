import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'

/** What a backslash may stand before: elsewhere JavaScript drops it, silently. */
const KNOWN = new Set([...'\\`$\'"nrtbfvux0\n'])

const isText = (node: ts.Node): boolean =>
  ts.isStringLiteral(node) || ts.isTemplateLiteralToken(node)

const isRaw = ({ parent }: ts.Node): boolean => {
  const template = ts.isTemplateSpan(parent) ? parent.parent : parent
  const owner = ts.isTemplateExpression(template) ? template.parent : template
  return ts.isTaggedTemplateExpression(owner) && owner.tag.getText() === 'String.raw'
}

/** The pieces of text that lose a backslash, such as '\d+' in SQL. */
function lostEscapes(name: string, source: string): string[] {
  const file = ts.createSourceFile(name, source, ts.ScriptTarget.Latest, true)
  const lost: string[] = []
  const visit = (node: ts.Node): void => {
    if (isText(node) && !isRaw(node)) {
      for (const [piece, after] of node.getText().matchAll(/\\(.)/gs)) {
        const { line } = file.getLineAndCharacterOfPosition(node.getStart())
        if (!KNOWN.has(after ?? '')) lost.push(`${name}:${line + 1} ${piece}`)
      }
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return lost
}

const files = readdirSync('src', { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => join('src', file))

test('no text of the source loses a backslash on its way', () => {
  expect(files.length).toBeGreaterThan(100)
  expect(files.flatMap((file) => lostEscapes(file, readFileSync(file, 'utf8')))).toEqual([])
})

test('a lost one is seen, one that is meant is not', () => {
  const template = ['sql`x ~ ', String.raw`'\d+$' and $`, '{1} ~ ', String.raw`'\s'`, '`'].join('')
  expect(lostEscapes('a', template)).toEqual([String.raw`a:1 \d`, String.raw`a:1 \s`])
  expect(lostEscapes('a', String.raw`const a = '\d'`)).toHaveLength(1)
  const meant = ["'\\\\d' + '\\n'", 'String.raw`\\d + \\s`', '/\\d/']
  expect(meant.flatMap((text) => lostEscapes('a', text))).toEqual([])
})
