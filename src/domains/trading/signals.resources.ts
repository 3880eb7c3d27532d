import { resourceFor } from '../../mcp/define.js'
import { signalFilter, signalPage } from './signals.schemas.js'
import type { SignalService } from './signals.service.js'

const resource = resourceFor<SignalService>()

export const signals = resource({
  path: 'signals',
  title: 'Trading signals',
  description:
    'Signals, newest first, with their evidence, size, stop and targets: read signals?status=pending for those that wait to be traded. A pending one past expires_at is shown as expired; a rejected one tells its reasons.',
  input: signalFilter,
  output: signalPage,
  refreshedBy: ['db.transaction'],
  read: (filter, { service, tx }) => service.list(filter, tx),
})
