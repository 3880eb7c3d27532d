import { defineDomain } from '../../mcp/define.js'
import * as tools from './tools.js'

export const explore = defineDomain({ name: 'explore', tools })
