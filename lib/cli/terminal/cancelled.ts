/** Somebody pressed Ctrl-C at a question. */
export class Cancelled extends Error {
  constructor(message = 'Cancelled; nothing was changed.') {
    super(message)
    this.name = 'Cancelled'
  }
}
