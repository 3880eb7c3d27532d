import { oneLine } from '../lib/terminal-text.js'

/** A value as indented lines a person reads: names with words between, a dash for each entry of a list. */
export function outline(value: unknown, indent = ''): string {
  if (Array.isArray(value)) return value.map((entry) => dashed(entry, indent)).join('\n')
  return Object.entries(Object(value))
    .map(([name, entry]) => named(name, entry, indent))
    .join('\n')
}

function named(name: string, value: unknown, indent: string): string {
  const label = `${indent}${oneLine(name.replaceAll('_', ' '))}:`
  if (isLeaf(value)) return `${label} ${leaf(value)}`
  return `${label}\n${outline(value, `${indent}  `)}`
}

/** The first line of an entry stands behind the dash. */
function dashed(entry: unknown, indent: string): string {
  if (isLeaf(entry)) return `${indent}- ${leaf(entry)}`
  return `${indent}- ${outline(entry, `${indent}  `).trimStart()}`
}

const isLeaf = (value: unknown): boolean =>
  typeof value !== 'object' || value === null || Object.keys(value).length === 0

function leaf(value: unknown): string {
  if (value === null || value === undefined) return 'none'
  if (typeof value === 'boolean') return value ? 'yes' : 'no'
  return typeof value === 'object' ? 'none' : oneLine(String(value))
}
