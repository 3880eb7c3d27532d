/** Where the schema stands: `current`, or why not. */
export interface SchemaState {
  readonly state: 'current' | 'pending' | 'failed'
  readonly reason: string | null
}
