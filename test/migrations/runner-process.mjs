// @ts-check
// A runner as a process of its own: the built files, without the rest of the product.
const [dist, url, builtInDir, operatorDir] = process.argv.slice(2)

const { MigrationService } = await import(`${dist}/domains/migrations/service.js`)
const { parseDatabaseUrl } = await import(`${dist}/platform/postgres/connection.js`)

const service = new MigrationService({
  endpoint: parseDatabaseUrl(url),
  builtInDir,
  operatorDir,
  appVersion: 'test',
})
const options = {
  target: null,
  actor: { by: 'process', requestId: null },
  confirms: () => false,
  signal: new AbortController().signal,
  progress: () => {},
}
for (let isDone = false; !isDone; ) {
  isDone = await service.up(options).then(
    () => true,
    /** @param {{ code?: string }} error */
    (error) => {
      // On a busy machine another runner may work for more than the minute that one waits.
      if (error.code !== 'conflict') throw error
      return false
    },
  )
}
