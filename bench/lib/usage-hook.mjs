/** Loaded into a server with --import: tells the bench, over the process's own channel, what it has used. */
process.on('message', (question) => {
  if (question !== 'usage') return
  const { user, system } = process.cpuUsage()
  const { rss } = process.memoryUsage()
  process.send?.({ cpuMs: (user + system) / 1_000, rssBytes: rss })
})
// The channel must not keep alive a server that is told to end.
process.channel?.unref()
