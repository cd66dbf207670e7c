/** The command was called in a way that cannot be meant. */
export class UsageError extends Error {
  /** What to do instead. */
  readonly fix: string

  constructor(message: string, fix = '') {
    super(message)
    this.name = 'UsageError'
    this.fix = fix
  }
}
