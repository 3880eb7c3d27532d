/** The least that answers JSON over HTTP: what every server in Node pays before it does anything. */
import { createServer } from 'node:http'

const server = createServer(async (req, res) => {
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const { id, params } = JSON.parse(Buffer.concat(chunks).toString('utf8'))
  const body = JSON.stringify({ jsonrpc: '2.0', id, result: { structuredContent: params } })
  res.writeHead(200, { 'content-type': 'application/json' }).end(body)
})
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${server.address().port}/mcp\n`)
})
process.once('SIGTERM', () => process.exit(0))
