/** The client library, `import { MCPSession } from 'catalyst-db/client'`: it holds no code of the server. */
export { ToolError, type ToolErrorBody } from './errors.js'
export type { Resources, Tools } from './served.js'
export {
  type CallOptions,
  type Job,
  MCPSession,
  type Progress,
  type PublishedEvent,
  type Target,
  type Transaction,
} from './session.js'
