// @ts-check

/**
 * The text with each `<!-- generated:NAME -->` section replaced; everything else stays as it is.
 *
 * @param {string} text
 * @param {Readonly<Record<string, string>>} sections
 * @returns {string}
 * @throws when a section has no place in the text, or a place has no section
 */
export function fill(text, sections) {
  const places = [...text.matchAll(/<!-- generated:(\w+) -->/g)].map(([, name]) => name ?? '')
  const missing = Object.keys(sections).filter((name) => !places.includes(name))
  if (missing.length > 0) throw new Error(`there is no place for: ${missing.join(', ')}`)
  return places.reduce((result, name) => replace(result, name, sections[name]), text)
}

/** @type {(text: string, name: string, content: string | undefined) => string} */
function replace(text, name, content) {
  const [begin, end] = [`<!-- generated:${name} -->`, `<!-- /generated:${name} -->`]
  const [from, to] = [text.indexOf(begin) + begin.length, text.indexOf(end)]
  if (content === undefined) throw new Error(`nothing is generated for "${name}"`)
  if (to < from) throw new Error(`${begin} is not closed by ${end}`)
  return `${text.slice(0, from)}\n\n${content}\n\n${text.slice(to)}`
}
