/** A process that listens on many streams and tells when each was told of a change. */
import { RawHttp } from './raw-http.mjs'

const [url, uri] = process.argv.slice(2)
const http = new RawHttp(url, Number.POSITIVE_INFINITY)
/** One list of instants per stream. */
const streams = []

const now = () => performance.timeOrigin + performance.now()

process.on('message', async ({ open = 0, told = false }) => {
  for (let i = 0; i < open; i++) {
    const instants = []
    streams.push(instants)
    await http.listen(uri, () => instants.push(now()))
  }
  process.send?.(told ? streams : streams.length)
})
process.on('disconnect', () => process.exit(0))
