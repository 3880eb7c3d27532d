import type { CallToolResult, McpRequestContext } from '@modelcontextprotocol/server'
import type { Outcome } from './dispatcher.js'
import { SCHEME } from './resources.js'

/**
 * The answer as structured content and as text. A failure is text only for 2025 clients: their SDK
 * checks structured content against the output schema even when it is an error, and would throw.
 */
export function toToolResult(outcome: Outcome, era: McpRequestContext['era']): CallToolResult {
  const body = outcome.ok ? outcome.data : { ...outcome.error }
  const content = [{ type: 'text' as const, text: JSON.stringify(body) }]
  const structuredContent = body as Record<string, unknown>
  if (outcome.ok)
    return { content: [...content, ...linkToJob(structuredContent)], structuredContent }
  return era === 'modern'
    ? { content, structuredContent, isError: true }
    : { content, isError: true }
}

/** Work that goes on can be followed at its resource. */
const linkToJob = ({ status, job_id }: Record<string, unknown>) =>
  status === 'running' && typeof job_id === 'string'
    ? [
        {
          type: 'resource_link' as const,
          uri: `${SCHEME}jobs/${job_id}`,
          name: `jobs/${job_id}`,
          mimeType: 'application/json',
        },
      ]
    : []
