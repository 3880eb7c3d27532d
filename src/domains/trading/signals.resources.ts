import { resourceFor } from '../../mcp/define.js'
import { signalDetails, signalFilter, signalKey, signalPage } from './signals.schemas.js'
import type { SignalService } from './signals.service.js'

const resource = resourceFor<SignalService>()

export const signals = resource({
  path: 'signals',
  title: 'Trading signals',
  description:
    'Signals, newest first, with their size, stop and targets: read signals?status=pending for those that wait to be traded. A pending one past expires_at is shown as expired; a rejected one tells its reasons. Read signals/{signal_id} for one with its evidence and every check.',
  input: signalFilter,
  output: signalPage,
  refreshedBy: ['db.transaction'],
  read: (filter, { service, tx }) => service.list(filter, tx),
})

export const signal = resource({
  path: 'signals/{signal_id}',
  title: 'One trading signal',
  description:
    'A signal in full: why it has its status, what was filled of it, the stories, patterns and indicators it rests on, and every check of its risk.',
  input: signalKey,
  output: signalDetails,
  refreshedBy: ['db.transaction'],
  read: ({ signal_id }, { service, tx }) => service.get(signal_id, tx),
})
