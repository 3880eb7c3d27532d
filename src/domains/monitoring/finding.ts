/** One thing that was looked at; `fix` is the next step when it is not well. */
export interface Finding {
  readonly check: string
  readonly status: 'ok' | 'warning' | 'problem'
  readonly detail: string
  readonly fix: string | null
}

/** It is well. */
export const ok = (check: string, detail: string): Finding => ({
  check,
  status: 'ok',
  detail,
  fix: null,
})

/** It works, but not as well as it could. */
export const warning = (check: string, detail: string, fix: string): Finding => ({
  check,
  status: 'warning',
  detail,
  fix,
})

/** It does not work. */
export const problem = (check: string, detail: string, fix: string): Finding => ({
  check,
  status: 'problem',
  detail,
  fix,
})
