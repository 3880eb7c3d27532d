import { PARTS } from '../../src/app.js'
import { Registry } from '../../src/mcp/registry.js'

/** Every part without its service: what the server says of itself, uncalled. */
export const describedRegistry = (): Registry =>
  new Registry(PARTS.map(({ described }) => described))
