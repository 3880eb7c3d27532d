// @ts-check
// A runner as a process of its own: the built files, without the rest of the product.
const [dist, url, builtInDir, operatorDir] = process.argv.slice(2)

const { MigrationService } = await import(`${dist}/domains/migrations/service.js`)
const { parseDatabaseUrl } = await import(`${dist}/platform/postgres/connection.js`)

await new MigrationService({
  endpoint: parseDatabaseUrl(url),
  builtInDir,
  operatorDir,
  appVersion: 'test',
}).up({
  target: null,
  actor: { by: 'process', requestId: null },
  confirms: () => false,
  signal: new AbortController().signal,
  progress: () => {},
})
