/** One line of `doctor`. */
export interface Finding {
  readonly verdict: 'pass' | 'note' | 'warn' | 'fail'
  readonly what: string
  readonly says: string
  /** How to mend it. */
  readonly fix?: string
}

export function pass(what: string, says: string): Finding {
  return { verdict: 'pass', what, says }
}

/** What nobody can mend and somebody should know. */
export function note(what: string, says: string): Finding {
  return { verdict: 'note', what, says }
}

/** Worth a look; nothing is broken. */
export function warn(what: string, says: string, fix?: string): Finding {
  return { verdict: 'warn', what, says, ...(fix && { fix }) }
}

export function fail(what: string, says: string, fix: string): Finding {
  return { verdict: 'fail', what, says, fix }
}
