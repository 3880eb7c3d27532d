/** Options of every command about migrations. */
export interface Printed {
  readonly json?: boolean
}

/** Options of `migrate up`. */
export interface UpOptions extends Printed {
  readonly target?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** Options of `migrate down`. */
export interface DownOptions extends Printed {
  readonly target: number
  readonly includeBuiltIn?: boolean
  readonly yes?: boolean
}

/** Options of `migrate create`. */
export interface CreateOptions extends Printed {
  readonly up: string
  readonly down?: string
  readonly description?: string
}

/** Options of `migrate baseline`. */
export interface BaselineOptions extends Printed {
  readonly version: number
}

/** Options of `migrate repair`. */
export interface RepairOptions extends Printed {
  readonly yes?: boolean
}

/** Options of `migrate adopt`. */
export interface AdoptOptions extends Printed {
  readonly run?: boolean
  readonly yes?: boolean
}

/** Options of `migrate history`. */
export interface HistoryOptions extends Printed {
  readonly limit?: number
}
