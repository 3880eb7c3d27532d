/** What any of the commands about backups can be asked. */
export interface Printed {
  readonly json?: boolean
}

export interface CreateOptions extends Printed {
  readonly type: 'full' | 'incremental'
  readonly compress: boolean
  readonly encrypt?: boolean
}

export interface ListOptions extends Printed {
  readonly type?: 'full' | 'incremental'
}

export interface VerifyOptions extends Printed {
  readonly level: 'quick' | 'content' | 'restore'
}

export interface RestoreOptions extends Printed {
  readonly targetTime?: string
  readonly tables?: readonly string[]
  readonly mode: 'side' | 'swap'
  readonly dryRun?: boolean
  readonly yes?: boolean
}

export interface ConfirmedOptions extends Printed {
  readonly yes?: boolean
}

export interface PruneOptions extends ConfirmedOptions {
  readonly dryRun?: boolean
}
