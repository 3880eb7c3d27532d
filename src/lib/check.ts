/** What a part says of itself when somebody asks how it is. */
export interface Check {
  /** As it is told apart from others, such as `cache_memory`. */
  readonly name: string
  /** Critical: the server cannot do its work. */
  readonly severity: 'critical' | 'warning'
  /** Asked only while the database answers: else it is that which is wrong. */
  readonly needsDatabase?: boolean
  /** What is wrong, and what to do, in words for an operator; null while all is well. */
  look(): string | null
}
