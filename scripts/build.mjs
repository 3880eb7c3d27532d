// @ts-check
/**
 * Makes `dist/` from `src/`, file by file. It needs no development dependency, so that `npm ci --omit=dev` gives
 * a program that runs; types are checked by `npm run check` and declared when the package is packed.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const [from, to] = [join(ROOT, 'src'), join(ROOT, 'dist')]

// The packed file holds what was built, and not what it was built from.
if (existsSync(from)) {
  const { build } = await import('esbuild')
  const entryPoints = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?[jt]s$/.test(name))
    .map((name) => join(from, name))
  await build({
    entryPoints,
    outbase: from,
    outdir: to,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    loader: { '.mjs': 'copy' },
    sourcemap: true,
    sourcesContent: false,
    logLevel: 'warning',
  })
  removeLeftovers()
}

/** A file of `dist/` whose source is gone would still be imported by whoever knows its name. */
function removeLeftovers() {
  for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    const sources = [name, name.replace(/\.(?:js|js\.map|d\.ts)$/, '.ts')]
    const path = join(to, name)
    const isLeft = !sources.some((source) => existsSync(join(from, source)))
    if (isLeft && statSync(path).isFile()) rmSync(path)
  }
}
