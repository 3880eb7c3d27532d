import { fileURLToPath } from 'node:url'

/** Where the code lies that runs: `src/`, or `dist/`, whose bundle is one folder below it like this file. */
const CODE = new URL('../', import.meta.url)

/** A file of the package, such as `package.json` or `migrations`. */
export const packageFile = (path: string): string => fileURLToPath(new URL(`../${path}`, CODE))

/** A file that is run by itself, such as the program of a thread. */
export const codeFile = (path: string): URL => new URL(path, CODE)
