/** Somebody pressed Ctrl-C at a question. */
export class Cancelled extends Error {
  constructor() {
    super('Cancelled; nothing was changed.')
    this.name = 'Cancelled'
  }
}
