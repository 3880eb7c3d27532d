/** The newer protocol era, which the benches speak over HTTP. */
export const MODERN = '2026-07-28'
/** The older one, which every other server speaks too. */
export const LEGACY = '2025-06-18'

/** Who the benches say they are. */
export const CLIENT_INFO = { name: 'bench', version: '0' }

/** What every request of the newer era carries. */
export const MODERN_META = {
  'io.modelcontextprotocol/protocolVersion': MODERN,
  'io.modelcontextprotocol/clientCapabilities': {},
  'io.modelcontextprotocol/clientInfo': CLIENT_INFO,
}

/** The result of a JSON-RPC answer; throws what went wrong, also when a tool refused. */
export function resultOf({ error, result }) {
  if (error) throw new Error(`${error.code}: ${error.message}`)
  if (result?.isError) throw new Error(`the tool refused: ${result.content?.[0]?.text}`)
  return result
}
